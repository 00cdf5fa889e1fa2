// A part of the command table, as `api/schema` and `api/commands` show it. The real one comes from the core.

/** name, kind, range, then what is special */
const field = (name, kind, range, more = {}) => ({
  name,
  kind,
  range,
  range_zh: range,
  help: "",
  help_zh: "",
  secret: false,
  choices: [],
  min: null,
  max: null,
  unit: null,
  tick: null,
  may_be_empty: false,
  factory: "",
  ...more,
});
const number = (name, min, max, factory, more = {}) =>
  field(name, "number", `${min}..=${max}`, { min, max, factory: String(factory), ...more });
const choice = (name, values, factory, more = {}) =>
  field(name, "choice", Object.keys(values).join(" or "), {
    choices: Object.entries(values).map(([value, word]) => ({ value, word, word_zh: "" })),
    factory,
    ...more,
  });
const text = (name, range, factory, more = {}) => field(name, "text", range, { factory, ...more });
const command = (name, help, help_zh, fields, more = {}) => ({
  name: `+${name}`,
  label: name,
  help,
  help_zh,
  indices: [],
  full: false,
  takes_effect: "restart",
  readable: true,
  fields,
  ...more,
});
const yesOrNo = { tick: { off: "0", on: "1" } };
const onOff = { 0: "off", 1: "on" };
const links = { indices: ["1", "2", "3", "4"] };

const GROUPS = [
  ["apn", "Access point", "接入点 APN", [
    command("CSTT", "Access point of the network", "配置 APN 账号信息", [
      text("APN", "0..=100 printable ASCII characters without comma or blank", "", {
        help: "name of the access point; none = the one that the modem has",
        help_zh: "APN 名称;空 = 使用模块自己的",
      }),
      text("USER", "0..=64 printable ASCII characters", ""),
      text("PASSWORD", "0..=64 printable ASCII characters", "", { secret: true, may_be_empty: true }),
    ]),
  ]],
  ["serial", "Serial line", "串口", [
    command("CIPR", "Rate of the serial line", "设置串口波特率", [
      choice("RATE", Object.fromEntries([1200, 9600, 19200, 115200, 460800].map((it) => [it, ""])), "115200", { unit: "Bd" }),
    ]),
    command("ICF", "Character format of the serial line", "设置串口数据位、停止位、校验位", [
      choice("FORMAT", { 1: "8 data bits, 2 stop bits", 3: "8 data bits, 1 stop bit", 5: "7 data bits, 1 stop bit" }, "3"),
      choice("PARITY", { 0: "odd", 1: "even", 3: "none" }, "3"),
    ]),
  ]],
  ["mode", "Working mode", "工作模式", [
    command("CIMOD", "Working mode", "配置工作模式", [
      choice("MODE", { 0: "transparent", 1: "serial command", 2: "AT command", 3: "HTTPD", 4: "SMS" }, "0"),
    ]),
    command("CISOCLINK", "Long or short connections", "设置连接方式为短连接/长连接", [
      choice("LONG", { 0: "short", 1: "long" }, "1", { help: "short: connect when a frame is there, close when idle" }),
    ], { full: true }),
  ]],
  ["links", "Links", "连接", [
    command("CIPSCONT", "A link; read: the dump of all parameters but the serial line's", "配置连接信息", [
      choice("PROTOCOL", { TCP: "", UDP: "" }, "TCP"),
      text("ADDRESS", "1..=255 letters, digits and . - _ : % [ ]", "usrcn.gicp.net", {
        help: "name or address of the server",
        help_zh: "目的地址:域名或 IP 地址",
      }),
      number("PORT", 1, 65535, 10101, { help: "of the server; factory 10101 to 10104", help_zh: "目标端口" }),
      choice("START", { 0: "not used", 1: "used" }, "0", yesOrNo),
    ], links),
    command("CINETPT", "Own port of a link", "设置本地端口号", [
      number("PORT", 0, 65535, 0, { help: "0 = any free one; else no two links have the same" }),
    ], { ...links, full: true }),
    command("CIROLE", "Whether a link always works, or stands in for another", "一路连接始终工作,或作为另一路的备用", [
      text("ROLE", "always or backup:1..=4", "always", { help: "backup:m = used only while link m is down" }),
    ], { ...links, full: true }),
  ]],
  ["packets", "Registration and heartbeat packet", "注册包和心跳包", [
    command("CIPPACK", "Heartbeat packet (0) and registration packet (1)", "配置心跳包(0)和注册包(1)的内容", [
      field("DATA", "packet", "an even number of hex digits, at most 80 (40 bytes)", { min: 0, max: 40, help: "bytes of the packet; none = off" }),
      choice("STA", { 0: "", 1: "" }, "0"),
    ], { indices: ["0", "1"], takes_effect: "at once" }),
  ]],
  ["packing", "Packing and times", "打包和时间", [
    command("CIPCFG", "Heartbeat, packing and automatic restart", "配置心跳包时间、串口打包时间等参数", [
      choice("AUTO", { 0: "stay in the command state", 1: "enter the working mode" }, "1"),
      number("HEAT", 0, 65535, 30, { unit: "s", help: "s between heartbeats; 0 = off", help_zh: "心跳包间隔,秒;0 = 禁用" }),
      choice("RESERVED", { 0: "" }, "0", { help: "always 0" }),
      number("TIME", 0, 60000, 100, { unit: "ms", range: "0 or 10..=60000", help: "ms of silence that close a frame" }),
      number("LEN", 0, 1024, 10, { unit: "bytes" }),
      number("RTIME", 0, 65535, 1800, { unit: "s" }),
    ], { takes_effect: "at once" }),
  ]],
  ["sms", "Messages", "短信", [
    command("CIPNUM", "Number that transparent SMS go to", "设置短信透传模式下的目的号码", [
      text("NUMBER", "1..=20 digits, + in front allowed", "10086"),
    ], { takes_effect: "at once" }),
    command("CMGF", "Message format", "短消息格式", [choice("FORMAT", { 0: "PDU", 1: "text" }, "0")], { full: true, takes_effect: "at once" }),
  ]],
  ["httpd", "HTTPD client", "HTTPD Client", [
    command("HTPTP", "HTTPD: request type", "HTTPD:请求方式", [choice("TYPE", { GET: "", POST: "" }, "GET")]),
    command("HTPSV", "HTTPD: server", "HTTPD:服务器地址和端口", [
      text("SERVER", "a name or an address, http:// or https:// in front allowed", "test.usr.cn"),
      number("PORT", 1, 65535, 80),
    ]),
    command("HTPURL", "HTTPD: request target in front of the frame", "HTTPD:请求 URL", [text("URL", "1..=1024 bytes of printable UTF-8 text", "/1.php?")]),
    command("HTPHD", "HTTPD: head lines", "HTTPD:请求头信息", [
      text("HEAD", "0..=1024 bytes of printable UTF-8 text", "Accept:text/html", { secret: true, may_be_empty: true }),
    ], { full: true }),
    command("HTPTO", "HTTPD: time-out", "HTTPD:超时时间", [number("TIME", 1, 600, 10, { unit: "s" })], { full: true }),
    command("HTPFLT", "HTTPD: whether the head of the answer is kept from the serial line", "HTTPD:是否过滤应答头", [
      choice("FILTER", { OFF: "", ON: "" }, "ON", { tick: { off: "OFF", on: "ON" } }),
    ], { full: true }),
  ]],
  ["passwords", "Password and gates", "密码和指令权限", [
    command("CIPSW", "Password of commands from network, SMS and serial frames", "修改设备密码", [
      text("PASSWORD", "1..=5 printable ASCII characters without comma or blank", "admin", { secret: true }),
    ], { readable: false, takes_effect: "at once" }),
    command("CINETAT", "Commands from the network are heard", "禁用/启用网络 AT 指令功能", [choice("ON", onOff, "0", yesOrNo)], { takes_effect: "at once" }),
    command("CICOMAT", "Commands in frames of the serial line are heard", "禁用/启用串口 AT 指令功能", [choice("ON", onOff, "0", yesOrNo)], { takes_effect: "at once" }),
  ]],
  ["banner", "Banner", "启动信息", [
    command("CIMODID", "What the serial line prints at power-on", "修改启动信息", [
      text("NAME", "0..=256 bytes", "USR-GPRS232-DTU", { help: "at most 64 characters in the charset of the line" }),
    ], { takes_effect: "at once" }),
  ]],
  ["other", "For programs that use it as a modem", "其他(供上位机程序)", [
    command("CMEE", "How errors are answered", "错误的回答方式", [
      choice("LEVEL", { 0: "ERROR", 1: "+CME ERROR: and a number", 2: "+CME ERROR: and a text" }, "2"),
    ], { full: true, takes_effect: "at once" }),
  ]],
];

/** Keys of a command's fields, of one index. */
export function keysOf(of, index) {
  const head = index === "" ? of.label : `${of.label}.${index}`;
  return of.fields.map((it) => [of.fields.length === 1 ? head : `${head}.${it.name}`, it]);
}

export const schema = {
  groups: GROUPS.map(([id, title, title_zh, commands]) => ({
    id,
    title,
    title_zh,
    commands: commands.map((of) => ({
      ...of,
      // The API's names, the other way round.
      name: of.label,
      label: of.name,
      fields: keysOf(of, of.indices[0] ?? "").map(([key, it]) => ({ ...it, key })),
    })),
  })),
};

/** The same without a word of prose: nothing that the page does may hang on one. */
export function withoutProse(of) {
  if (Array.isArray(of)) {
    return of.map(withoutProse);
  }
  if (of === null || typeof of !== "object") {
    return of;
  }
  const isProse = (name) => /^(help|range|word|title|message)(_zh)?$/.test(name);
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, isProse(name) ? "…" : withoutProse(value)]));
}

export const fields = new Map(
  GROUPS.flatMap(([, , , commands]) =>
    commands.flatMap((of) =>
      (of.indices.length > 0 ? of.indices : [""]).flatMap((index) =>
        keysOf(of, index).map(([key, it]) => [key, { ...it, command: of, index }]),
      ),
    ),
  ),
);

export const commands = [
  ...GROUPS.flatMap(([id, , , list]) => list.map((of) => [id, of])).map(([group, of]) => ({
    name: `AT${of.name}`,
    forms: [`AT${of.name}?`, `AT${of.name}=<${of.fields.map((it) => it.name).join(">,<")}>`],
    help: of.help,
    help_zh: of.help_zh,
    notes: "",
    notes_zh: "",
    group: group.toUpperCase(),
    group_zh: GROUPS.find(([id]) => id === group)?.[2],
    example: { line: `AT${of.name}?`, answer: `${of.name}: …\nOK` },
    parameters: of.fields.map((it) => ({ name: it.name, range: it.range, help: it.help, help_zh: it.help_zh })),
    missing: null,
  })),
  ...[
    ["AT+CSQ", "Signal strength", "查询当前信号强度", "+CSQ: 25, 0\nOK"],
    ["AT+CINET?", "State of each link", "查询每路连接的状态", "+CINET:1,CONNECTED\nOK"],
    ["ATW", "Stores the settings", "保存设置", "OK"],
    ["AT+CISTAT", "Counters of the line and each link", "流量与丢失计数", "+CISTAT:DEVICE,uptime=2\nOK"],
  ].map(([line, help, help_zh, answer]) => ({
    name: line.replace("?", ""),
    forms: [line],
    help,
    help_zh,
    notes: "",
    notes_zh: "",
    group: "STATUS",
    group_zh: "流量与丢失计数",
    example: { line, answer },
    parameters: [],
    missing: null,
  })),
];
