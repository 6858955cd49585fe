"""The style and the script of a page."""

from typing import Final

_HUES: Final = (250, 28, 145, 320, 85, 200, 350, 115, 280, 55, 170)
COLOURS: Final = len(_HUES)
"""Number of colours of fields."""

STYLE: Final = """
:root{color-scheme:light dark;--paper:#faf9f6;--card:#fff;--ink:#1c2330;--soft:#5f6878;
--line:#e3dfd5;--link:#2854c5;--good:#0b6b45;--good-back:#e2f4ea;--bad:#a8201a;--bad-back:#fce8e5;
--code:#f3f1ea;--light:88%;--chroma:.075;--dark:30%;--dark-chroma:.1}
@media(prefers-color-scheme:dark){:root{--paper:#11141a;--card:#191e27;--ink:#e6e8ed;--soft:#9aa4b4;
--line:#2c333f;--link:#8fb0ff;--good:#63d8a5;--good-back:#11302a;--bad:#ff9c90;--bad-back:#391a19;
--code:#12161d;--light:37%;--chroma:.07;--dark:94%;--dark-chroma:.03}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
code,pre,.hex,.formula{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
header,main,footer{max-width:1440px;margin:0 auto;padding:0 28px}
header{padding-top:32px}h1{font-size:29px;letter-spacing:-.02em;margin:0 0 4px}
header p{margin:4px 0;color:var(--soft);max-width:76ch}
.verdict{border-radius:12px;padding:13px 18px;margin:18px 0;font-weight:650}
.verdict span{display:block;font-weight:400;color:var(--ink)}
.good{background:var(--good-back);color:var(--good)}.bad{background:var(--bad-back);color:var(--bad)}
main{display:grid;grid-template-columns:minmax(0,1fr) 600px;gap:28px;align-items:start}
aside{position:sticky;top:12px;max-height:calc(100vh - 24px);overflow:auto}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:17px 20px;
margin:0 0 18px}
h2{font-size:18px;margin:0;display:flex;gap:11px;align-items:baseline}
h2 b{background:var(--link);color:var(--card);border-radius:20px;min-width:27px;text-align:center;
font-size:14px;padding:1px 7px}
h2 small{margin-left:auto;color:var(--soft);font-weight:400;font-size:13px;white-space:nowrap}
h3{font-size:13px;text-transform:uppercase;letter-spacing:.07em;color:var(--soft);margin:0 0 9px}
.formula{background:var(--code);border-radius:8px;padding:8px 12px;margin:11px 0 4px;font-size:14px;
white-space:pre-wrap}
table{border-collapse:collapse;width:100%;margin-top:8px}
td{padding:7px 0;vertical-align:top;border-top:1px solid var(--line)}
td:first-child{width:190px;padding-right:14px}td code{font-weight:650;font-size:14px}
td small{display:block;color:var(--soft);font-size:13px;overflow-wrap:anywhere}
.hex{font-size:13.5px;line-height:1.75}.hex i,.hex s{font-style:normal;text-decoration:none;
display:inline-block;padding:0 2.6px;border-radius:3px}.row{white-space:nowrap}
.at{color:var(--soft);font-size:12px;display:inline-block;width:40px;user-select:none}
.ascii{color:var(--soft);margin-left:10px;white-space:pre}
.n{background:var(--code);color:var(--soft)}
[data-f]{cursor:pointer}.hot{outline:2px solid var(--ink)}.kept{outline:2px solid var(--link)}
.hidden,.more{color:var(--soft);font-size:13.5px}
.hidden::before{content:"";display:inline-block;width:90px;height:11px;border-radius:4px;
margin-right:10px;background:repeating-linear-gradient(45deg,var(--line) 0 4px,transparent 4px 8px)}
.checks{list-style:none;margin:12px 0 0;padding:0;font-size:14.5px}
.checks li{padding:2px 0 2px 25px;position:relative;overflow-wrap:anywhere}
.checks li::before{content:"✓";position:absolute;left:3px;color:var(--good);font-weight:700}
.checks li.no{color:var(--bad);font-weight:650}.checks li.no::before{content:"✕";color:var(--bad)}
.legend{display:grid;grid-template-columns:auto minmax(0,1fr);gap:3px 10px;font-size:13.5px;
margin-top:12px}.legend b{border-radius:4px;padding:0 8px;align-self:start;font-weight:600}
.legend span{color:var(--soft);overflow-wrap:anywhere}
.finding{border-left:4px solid var(--good);padding:1px 0 1px 14px;margin:10px 0;max-width:110ch}
.finding p{margin:2px 0;color:var(--ink)}.finding small{display:block;color:var(--soft)}
.finding.suggests,.finding.authenticates_partly{border-color:#c98a00}.finding.lost{border-color:
var(--bad)}header .card{margin-top:0}.wrong{box-shadow:0 0 0 2px var(--bad);font-weight:700}
details{margin-top:12px}summary{cursor:pointer;color:var(--link);font-size:14px}
pre{background:var(--code);border-radius:8px;padding:10px 13px;font-size:12.5px;
white-space:pre-wrap;overflow-wrap:anywhere;margin:8px 0 0}
footer{padding-bottom:50px;color:var(--soft);font-size:13.5px}
#tip{position:fixed;z-index:2;max-width:340px;background:var(--ink);color:var(--paper);font-size:13px;
border-radius:8px;padding:6px 11px;pointer-events:none;overflow-wrap:anywhere}
@media(max-width:1120px){main{grid-template-columns:minmax(0,1fr)}
aside{position:static;max-height:none;order:-1}}
@media(max-width:640px){header,main,footer{padding-left:14px;padding-right:14px}
.card{padding:14px 12px}.ascii,.at{display:none}
.hex{font-size:12px}.hex i,.hex s{padding:0 1.2px}td:first-child{width:auto}
td{display:block;border:0;padding:2px 0}
tr{display:block;border-top:1px solid var(--line);padding:6px 0}
h2 small{display:none}}
@media print{body{background:#fff;font-size:11pt}main{display:block}
aside{position:static;max-height:none;overflow:visible}.card{break-inside:avoid-page}
details::details-content{content-visibility:visible;block-size:auto}
details:not([open])>*{display:block}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
""" + "".join(
    f".h{number}{{background:oklch(var(--light) var(--chroma) {hue});"
    f"color:oklch(var(--dark) var(--dark-chroma) {hue})}}\n"
    for number, hue in enumerate(_HUES)
)
"""The style. Colours only distinguish fields."""

SCRIPT: Final = """
(() => {
  const tip = document.getElementById("tip");
  const clear = name =>
    document.querySelectorAll("." + name).forEach(each => each.classList.remove(name));
  const mark = (place, name) => {
    clear(name);
    if (!place) return;
    const { b, f } = place.dataset;
    const all = b ? `[data-b="${b}"]` : `[data-f="${f}"]`;
    document.querySelectorAll(all).forEach(each => each.classList.add(name));
  };
  const at = event => event.target instanceof Element ? event.target.closest("[data-f]") : null;
  const show = (place, x, y) => {
    mark(place, "hot");
    tip.hidden = !place;
    if (!place) return;
    const field = document.querySelector(`b[data-f="${place.dataset.f}"]`);
    const offset = place.dataset.b ? `, offset ${place.dataset.b.split(".")[1]}` : "";
    tip.textContent = (field ? field.dataset.t : "") + offset;
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - 360)) + "px";
    tip.style.top = Math.min(y + 16, innerHeight - 60) + "px";
  };
  const keep = place => {
    const kept = place && place.classList.contains("kept");
    mark(kept ? null : place, "kept");
  };
  document.addEventListener("mousemove", event => show(at(event), event.clientX, event.clientY));
  document.addEventListener("click", event => keep(at(event)));
  document.addEventListener("focusin", event => {
    const box = event.target.getBoundingClientRect();
    show(at(event), box.left, box.bottom);
  });
  document.addEventListener("keydown", event => {
    if (event.key === "Enter" || event.key === " ") {
      const place = at(event);
      if (place) { event.preventDefault(); keep(place); }
    }
    if (event.key === "Escape") { clear("kept"); clear("hot"); tip.hidden = true; }
  });
})();
"""
"""The script: it marks the byte under the pointer everywhere, and keeps it after a click."""
