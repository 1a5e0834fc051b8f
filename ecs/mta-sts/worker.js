// The MTA-STS policy of all our domains (RFC 8461), as a Cloudflare Worker. ecs/README.md says how to set it up.
// すべてのドメインの MTA-STS ポリシー（RFC 8461）を公開する Cloudflare Worker。設定方法は ecs/README.md にあります。
//
// Variables of the Worker (Settings > Variables) / Worker の変数:
//   MX       name or names that the MX records point to, separated by commas: mx.example.jp
//            MX レコードが指す名前（カンマ区切り）
//   MODE     testing (default): failures are reported, mail goes on; enforce: senders must encrypt; none: undo
//            testing（既定）：失敗を報告するだけ／enforce：暗号化を必須にする／none：取りやめる
//   MAX_AGE  seconds that senders remember the policy, 604800 (a week) by default
//            送信側がポリシーを覚えておく秒数（既定は 1 週間）

const PATH = "/.well-known/mta-sts.txt";
const MODES = ["testing", "enforce", "none"];
const MAX_MAX_AGE = 31557600; // RFC 8461 section 3.2
const LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const PATTERN = new RegExp(`^([*][.])?(${LABEL}[.])+${LABEL}$`);

export default {
  async fetch(request, variables) {
    const url = new URL(request.url);
    if (!url.hostname.startsWith("mta-sts.") || url.pathname !== PATH) {
      return answer(404, "not found\n");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return answer(405, "only GET\n", { Allow: "GET, HEAD" });
    }
    const { policy, mistake } = made(variables ?? {});
    // To a sender, an answer other than 200 means that there is no new policy; it keeps the one it remembers.
    return mistake ? answer(500, mistake) : answer(200, policy, { "Cache-Control": "max-age=300" });
  },
};

function made(variables) {
  const mode = (variables.MODE ?? "testing").trim();
  const names = (variables.MX ?? "").split(",").map((name) => name.trim().toLowerCase()).filter(Boolean);
  const age = String(variables.MAX_AGE ?? "604800").trim();
  if (!MODES.includes(mode)) {
    return { mistake: "MODE is testing, enforce or none\n" };
  }
  if ((!names.length && mode !== "none") || !names.every((name) => PATTERN.test(name))) {
    return { mistake: "set MX to the name of the mail server, for example mx.example.jp\n" };
  }
  if (!/^[0-9]{1,8}$/.test(age) || Number(age) > MAX_MAX_AGE) {
    return { mistake: `MAX_AGE is a number of seconds up to ${MAX_MAX_AGE}, for example 604800\n` };
  }
  const lines = ["version: STSv1", `mode: ${mode}`, ...names.map((name) => `mx: ${name}`), `max_age: ${age}`];
  return { policy: lines.map((line) => `${line}\r\n`).join("") };
}

function answer(status, text, headers = {}) {
  return new Response(text, { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers } });
}
