/** Every word of the page, in both languages side by side; what the data say comes from the server. */

import type { Language } from "./api";
import { COVERAGE_WORDS } from "./coverage/words";
import { EDIT_WORDS } from "./edit/words";
import { HOTSPOT_WORDS } from "./hotspots/words";
import { PATROL_WORDS } from "./patrol/words";

type Say<A extends unknown[]> = string | ((...args: A) => string);
type Phrase = Record<Language, Say<never[]>>;

const count = (n: number) => n.toLocaleString("en");

export const WORDS = {
  product: { zh: "网格", en: "wangge" },
  workspaces: { zh: "工作台", en: "Workspaces" },
  mapTab: { zh: "地图", en: "Map" },
  hotspotsTab: { zh: "热点研判", en: "Hotspots" },
  pageTitle: { zh: (city: string) => `${city} · 网格地图`, en: (city: string) => `${city} · wangge map` },
  noCityTitle: { zh: "网格地图", en: "wangge map" },
  skip: { zh: "快速跳转", en: "Skip" },
  skipToMap: { zh: "跳到地图", en: "Skip to the map" },
  skipToList: { zh: "跳到列表（不用鼠标查看数据）", en: "Skip to the list (the data without a mouse)" },
  synthetic: { zh: "演示数据", en: "Synthetic data" },
  syntheticLong: {
    zh: "本城市的数据为合成的演示数据，不代表任何真实情况。",
    en: "The data of this city are invented for demonstration and describe nothing real.",
  },
  language: { zh: "语言", en: "Language" },
  theme: { zh: "外观", en: "Theme" },
  themeIs: { zh: (name: string) => `外观：${name}，点按切换`, en: (name: string) => `Theme: ${name}. Press for the next` },
  themeAuto: { zh: "跟随系统", en: "Auto" },
  themeLight: { zh: "浅色", en: "Light" },
  themeDark: { zh: "深色", en: "Dark" },
  home: { zh: "首页", en: "Home" },
  links: { zh: "其他页面", en: "Other pages" },
  accountOf: { zh: (name: string, role: string) => `账号 ${name}，${role}`, en: (name: string, role: string) => `Account ${name}, ${role}` },
  actAs: { zh: "当前岗位", en: "Act as" },
  signOut: { zh: "退出登录", en: "Sign out" },
  loginsLink: { zh: "我的登录", en: "My logins" },
  auditLink: { zh: "审计日志", en: "Audit log" },
  adminLink: { zh: "系统管理", en: "Administration" },
  apiLink: { zh: "接口", en: "API" },
  dataLink: { zh: "数据", en: "Data" },

  panels: { zh: "面板", en: "Panels" },
  layers: { zh: "图层", en: "Layers" },
  groupBase: { zh: "底图", en: "Base map" },
  groupGrid: { zh: "网格与区划", en: "Grids and areas" },
  groupUnits: { zh: "单位与场所", en: "Units and places" },
  groupEvents: { zh: "事件", en: "Events" },
  groupAnalysis: { zh: "分析结果", en: "Analysis" },
  zoomIn: { zh: "放大", en: "Zoom in" },
  zoomOut: { zh: "缩小", en: "Zoom out" },
  wholeCity: { zh: "显示全城", en: "Show the whole city" },
  zoomToSee: { zh: "放大地图后显示", en: "Zoom in to see it" },
  resetLayers: { zh: "恢复默认", en: "Reset" },

  map: { zh: "地图", en: "Map" },
  mapLabel: {
    zh: (city: string) => `${city}地图。方向键移动，加减号缩放，回车查看中心处的要素，Esc 关闭。`,
    en: (city: string) =>
      `Map of ${city}. Arrow keys move it, plus and minus zoom, Enter opens what is at its centre, Escape closes.`,
  },
  nothingHere: { zh: "中心处没有可查看的要素", en: "Nothing to open at the centre" },
  close: { zh: "关闭", en: "Close" },
  previous: { zh: "上一个", en: "Previous" },
  next: { zh: "下一个", en: "Next" },
  several: { zh: (n: number) => `${count(n)} 起合并显示`, en: (n: number) => `${count(n)} at this spot` },
  zoomForEach: { zh: "放大地图可逐起查看。", en: "Zoom in to open each of them." },
  ofTotal: { zh: (i: number, n: number) => `${i} / ${n}`, en: (i: number, n: number) => `${i} / ${n}` },
  empty: { zh: "—", en: "—" },
  yes: { zh: "是", en: "Yes" },
  no: { zh: "否", en: "No" },

  services: { zh: "服务", en: "Services" },
  servicesHint: {
    zh: "用城市的数据进行空间计算，结果显示在地图上。",
    en: "Compute with the city's data; the result appears on the map.",
  },
  noServices: { zh: "服务器没有提供任何服务。", en: "The server offers no services." },
  allServices: { zh: "全部服务", en: "All services" },
  run: { zh: "运行", en: "Run" },
  cancel: { zh: "取消", en: "Cancel" },
  purposeTitle: { zh: "导出用途", en: "What is the file for?" },
  purposeHint: {
    zh: "3 至 200 字，与账号、时间一起记入审计日志。请写任务，不要写个人信息。",
    en: "3 to 200 characters, kept in the audit log with your account and the time. Name the task, not a person.",
  },
  purposeGo: { zh: "下载", en: "Download" },
  purposeBusy: { zh: "正在准备…", en: "Preparing…" },
  reset: { zh: "恢复默认值", en: "Use the defaults" },
  advanced: { zh: "更多参数", en: "More parameters" },
  usePeriod: { zh: "使用地图上的时段", en: "Use the period of the map" },
  required: { zh: "必填", en: "required" },
  notSet: { zh: "不设定", en: "Not set" },
  accepted: { zh: "排队中…", en: "Waiting in the queue…" },
  running: { zh: "计算中…", en: "Computing…" },
  successful: { zh: "已完成", en: "Done" },
  failed: { zh: "计算失败", en: "The run failed" },
  dismissed: { zh: "已取消", en: "Cancelled" },
  progress: { zh: "进度", en: "Progress" },
  result: { zh: "结果", en: "Result" },
  howComputed: { zh: "如何算出", en: "How it was computed" },
  basis: { zh: "参与计算", en: "Based on" },
  basisCount: { zh: (n: number) => `${count(n)} 条记录`, en: (n: number) => `${count(n)} records` },
  usedPeriod: { zh: "数据时段", en: "Period of the data" },
  leftOut: { zh: "未参与计算", en: "Left out" },
  leftOutRow: {
    zh: (n: number, reason: string) => `${count(n)} 条：${reason}`,
    en: (n: number, reason: string) => `${count(n)}: ${reason}`,
  },
  nothingLeftOut: { zh: "无", en: "Nothing" },
  choices: { zh: "计算中的选择", en: "Choices made" },
  parameters: { zh: "参数", en: "Parameters" },
  serviceVersion: { zh: "服务版本", en: "Service version" },
  latestRun: { zh: "最新结果", en: "The latest" },
  shownOnMap: { zh: "正在地图上显示", en: "Shown on the map" },
  runNumber: { zh: (n: number) => `第 ${n} 次运行`, en: (n: number) => `Run ${n}` },
  badInteger: { zh: "请填写整数", en: "Enter a whole number" },
  badNumber: { zh: "请填写数字", en: "Enter a number" },
  tooSmall: { zh: (n: string) => `不得小于 ${n}`, en: (n: string) => `At least ${n}` },
  tooLarge: { zh: (n: string) => `不得大于 ${n}`, en: (n: string) => `At most ${n}` },
  above: { zh: (n: string) => `须大于 ${n}`, en: (n: string) => `More than ${n}` },
  below: { zh: (n: string) => `须小于 ${n}`, en: (n: string) => `Less than ${n}` },
  isRequired: { zh: "此项必填", en: "This is required" },
  badJson: { zh: "请填写 JSON", en: "Enter JSON" },
  noneChosen: { zh: "未选", en: "None chosen" },
  chosenCount: { zh: (n: number) => `已选 ${n} 项`, en: (n: number) => `${n} chosen` },
  newRun: { zh: "新的计算", en: "New run" },
  oneALine: { zh: "每行一个", en: "One a line" },
  pickOnMap: { zh: "在地图上选", en: "Pick on the map" },
  pickOnMapFor: { zh: (name: string) => `在地图上选：${name}`, en: (name: string) => `Pick on the map: ${name}` },
  pickingDone: { zh: "选好了", en: "Done" },
  pickingDoneFor: { zh: (name: string) => `选好了：${name}`, en: (name: string) => `Done: ${name}` },
  pickingHint: {
    zh: "在地图上点击加入，再点去掉。键盘：移到地图，方向键移动，回车选取中心处。",
    en: "Click on the map to take in, once more to take out. By keyboard: go to the map, move it by the arrows, Enter picks its middle.",
  },
  showIt: { zh: "在地图上显示", en: "Show on the map" },
  drawOnMap: { zh: "在地图上画", en: "Draw on the map" },
  draw_point: { zh: "画点", en: "Point" },
  draw_line: { zh: "画线", en: "Line" },
  draw_area: { zh: "画面", en: "Area" },
  drawHint: {
    zh: "在地图上依次点出各点。键盘：到地图上用方向键移动，回车取中心。",
    en: "Point at the corners on the map, one after the other. By keyboard: go to the map, move it by the arrows, Enter takes its middle.",
  },
  drawBack: { zh: "撤回一点", en: "Take one back" },
  drawnCorners: { zh: (n: number) => `已画 ${n} 点`, en: (n: number) => `${n} corners` },
  pickedIn: { zh: (code: string) => `已加入 ${code}`, en: (code: string) => `${code} taken in` },
  pickedOut: { zh: (code: string) => `已去掉 ${code}`, en: (code: string) => `${code} taken out` },
  range: { zh: (a: string, b: string) => `${a} 至 ${b}`, en: (a: string, b: string) => `${a} to ${b}` },

  inView: { zh: "列表", en: "List" },
  inViewHint: { zh: "地图视野内的要素，可用键盘逐条查看。", en: "What is in view on the map; every row opens by keyboard." },
  chooseLayer: { zh: "图层", en: "Layer" },
  noListable: { zh: "没有可列出的可见图层。", en: "No visible layer has a list." },
  nothingInView: { zh: "视野内没有要素。", en: "Nothing of this layer is in view." },
  shownCount: { zh: (n: number) => `列出 ${count(n)} 条`, en: (n: number) => `${count(n)} listed` },
  shownOfCount: {
    zh: (n: number, all: number) => `列出 ${count(n)} 条，共 ${count(all)} 条`,
    en: (n: number, all: number) => `${count(n)} of ${count(all)} listed`,
  },
  more: { zh: "再列出一些", en: "List more" },
  openData: { zh: "打开数据", en: "Open the data" },
  unnamed: { zh: (id: string) => `编号 ${id}`, en: (id: string) => `No. ${id}` },

  time: { zh: "时间", en: "Time" },
  last7: { zh: "近 7 天", en: "7 days" },
  last30: { zh: "近 30 天", en: "30 days" },
  year: { zh: "近一年", en: "1 year" },
  all: { zh: "全部", en: "All" },
  from: { zh: "开始日期", en: "From" },
  to: { zh: "结束日期", en: "To" },
  daysCount: {
    zh: (n: number) => `共 ${count(n)} 天`,
    en: (n: number) => (n === 1 ? "1 day" : `${count(n)} days`),
  },
  timeHint: {
    zh: "当前显示的图层都不随时间变化；请打开“事件”等图层。",
    en: "None of the layers shown has a time; show one that has, such as incidents.",
  },
  noTime: { zh: "城市尚无按时间记录的事件。", en: "The city has no events with a time yet." },

  status: { zh: "状态", en: "Status" },
  loading: { zh: "正在载入…", en: "Loading…" },
  ready: { zh: "就绪", en: "Ready" },
  layersShown: { zh: (n: number) => `显示 ${n} 个图层`, en: (n: number) => (n === 1 ? "1 layer shown" : `${n} layers shown`) },
  runShown: { zh: (service: string) => `${service}：结果已显示在地图上`, en: (service: string) => `${service}: the result is on the map` },
  closePanel: { zh: (name: string) => `收起“${name}”面板`, en: (name: string) => `Close the panel “${name}”` },

  retry: { zh: "重试", en: "Try again" },
  dismissNotice: { zh: "关闭提示", en: "Dismiss the notice" },
  unreachable: { zh: "无法连接服务器", en: "The server cannot be reached" },
  requestId: { zh: (id: string) => `请求编号 ${id}`, en: (id: string) => `Request ${id}` },
  errorStatus: {
    zh: (status: number, message: string) => `服务器答复 ${status}：${message}`,
    en: (status: number, message: string) => `The server answered ${status}: ${message}`,
  },
  mapFailed: { zh: (why: string) => `地图出错：${why}`, en: (why: string) => `The map reports: ${why}` },
  noWebglTitle: { zh: "此浏览器不支持 WebGL2", en: "This browser has no WebGL2" },
  noWebgl: {
    zh: "因此显示简版地图，每次一个图层：可以缩放和查看，但不能运行服务。",
    en: "So this is the plain map, one layer at a time: it zooms and opens features, but runs no services.",
  },
  plainMap: { zh: "简版地图", en: "Plain map" },

  noCityHeading: { zh: "还没有城市", en: "There is no city yet" },
  noCityText: {
    zh: "服务器正常运行，但尚未载入任何城市。可先看合成的演示城市，或建立自己的城市：",
    en: "The server runs, but no city has been loaded. Look at the invented demo city first, or make your own:",
  },
  noCityDemo: { zh: "演示城市（一条命令）", en: "The demo city (one command)" },
  noCityOwn: { zh: "自己的城市（两条命令）", en: "Your own city (two commands)" },
  noCityThen: { zh: "完成后请重新载入本页。", en: "Then reload this page." },
  reload: { zh: "重新载入", en: "Reload" },

  ...HOTSPOT_WORDS,
  ...COVERAGE_WORDS,
  ...PATROL_WORDS,
  ...EDIT_WORDS,
} satisfies Record<string, Phrase>;

export type Word = keyof typeof WORDS;
type Args<K extends Word> = (typeof WORDS)[K]["zh"] extends (...args: infer A) => string ? A : [];

/** The phrase `word` in a language. */
export function say<K extends Word>(language: Language, word: K, ...args: Args<K>): string {
  const phrase: Say<never[]> = WORDS[word][language];
  return typeof phrase === "string" ? phrase : (phrase as (...args: unknown[]) => string)(...args);
}
