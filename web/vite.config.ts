import { defineConfig } from "vitest/config";

// In development the pages come from vite and everything else from a running `wangge serve`.
const server = "http://127.0.0.1:8000";
const proxied = "^/(api|auth|collections|jobs|maps|plans|processes|runs|signin|static|styles|\\?f=json)";

export default defineConfig({
  build: {
    target: "es2022",
    // MapLibre is one module of a megabyte, loaded after the shell has been drawn.
    chunkSizeWarningLimit: 1200,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
    // The licences of what is bundled travel with it.
    license: { fileName: "assets/licenses.md" },
  },
  worker: { format: "es" },
  server: { proxy: { [proxied]: { target: server, changeOrigin: true } } },
  test: { include: ["tests/**/*.test.ts"] },
});
