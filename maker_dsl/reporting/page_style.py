"""The style of a report's page: for screens large and small, light and dark, and for paper. Used by `page`."""

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --dim: #59636e; --line: #d1d9e0; --back: #ffffff; --box: #f6f8fa;
  --first: #0969da; --second: #bc4c00; --good: #1a7f37; --bad: #cf222e }
@media (prefers-color-scheme: dark) { :root { --ink: #f0f6fc; --dim: #9198a1; --line: #3d444d; --back: #0d1117;
  --box: #151b23; --first: #4493f8; --second: #f0883e; --good: #3fb950; --bad: #f85149 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem; max-width: 66rem; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem }
p { margin: .5rem 0 } .dim, figcaption { color: var(--dim); font-size: .875rem }
.odds { border-left: 4px solid var(--first); background: var(--box); padding: .5rem 1rem; margin: 1rem 0 }
.note { border-left: 4px solid var(--bad); background: var(--box); padding: .5rem 1rem; margin: .5rem 0 }
.wide { overflow-x: auto } table { border-collapse: collapse; margin: .5rem 0; font-size: .875rem }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line) }
td { font-variant-numeric: tabular-nums } thead th { color: var(--dim); font-weight: 600 } tbody th { font-weight: 400 }
td { min-width: 4rem; max-width: 40rem }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.5rem }
figure { margin: 0; break-inside: avoid } svg { width: 100%; height: auto; display: block }
svg text { font-size: 12px; fill: var(--ink) } svg .small { font-size: 11px; fill: var(--dim) }
svg .grid { stroke: var(--line); stroke-width: .7 } svg .axis { stroke: var(--dim) }
svg .line { fill: none; stroke-width: 2 } svg .theory { stroke-dasharray: 5 4; stroke-width: 1.4 }
svg .line.first { stroke: var(--first) } svg .line.second { stroke: var(--second) }
svg rect.first, svg circle.first { fill: var(--first) } svg rect.second, svg circle.second { fill: var(--second) }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .4rem }
.key.first { background: var(--first) } .key.second { background: var(--second) }
details { border-top: 1px solid var(--line); padding: .5rem 0; break-inside: avoid-page } summary { cursor: pointer }
pre { background: var(--box); border: 1px solid var(--line); padding: .6rem; margin: .25rem 0 .75rem;
  font-size: .8125rem; line-height: 1.4; white-space: pre-wrap; overflow-wrap: anywhere;
  font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.won { color: var(--good); font-weight: 600 } .flagged { color: var(--bad) }
@media (max-width: 40rem) { body { padding: .9rem; font-size: 15px } h1 { font-size: 1.3rem }
  th, td { padding-right: .6rem } }
@media print { :root { --ink: #000; --dim: #444; --line: #bbb; --back: #fff; --box: #fff; --first: #0550ae;
  --second: #953800; --good: #116329; --bad: #a40e26 } body { max-width: none; padding: 0; font-size: 10pt }
  .plots { grid-template-columns: 1fr 1fr; gap: 1rem } h2, h3, summary { break-after: avoid }
  .wide { overflow: visible }
  * { print-color-adjust: exact } @page { margin: 16mm } }
"""
