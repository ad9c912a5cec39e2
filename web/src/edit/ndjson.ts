/** Lines of JSON as they come in, each as soon as it is whole. */

export async function* jsonLines<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as T;
      if (done) break;
    }
    if (rest.trim() !== "") yield JSON.parse(rest) as T;
  } finally {
    // Whoever stops reading stops the work behind it.
    void reader.cancel().catch(() => undefined);
  }
}
