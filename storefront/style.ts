// The whole stylesheet: system fonts, light and dark by the visitor's wish, one column on a phone.
export const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--soft:#f5f6f4;--line:#dfe2dd;--ink:#1c211d;--quiet:#565e57;--lead:#0b6b45;--on-lead:#fff;--star:#9a6200;--round:12px}
@media(prefers-color-scheme:dark){:root{--ground:#141815;--soft:#1d221e;--line:#343b35;--ink:#eef1ee;--quiet:#a9b3aa;--lead:#5fd3a0;--on-lead:#0b1a12;--star:#f0b64c}}
*{box-sizing:border-box}
body{margin:0;font:1rem/1.55 system-ui,sans-serif;background:var(--ground);color:var(--ink)}
a{color:inherit}h1{font-size:clamp(1.5rem,3.4vw,2.2rem);line-height:1.2;margin:.4em 0}h2{font-size:1.3rem;margin:1.6em 0 .6em}h3{font-size:1rem;margin:0}
img{display:block;max-width:100%;height:auto}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999px}.skip:focus{left:1rem;top:.5rem;background:var(--lead);color:var(--on-lead);padding:.5rem 1rem;z-index:2}
:focus-visible{outline:3px solid var(--lead);outline-offset:2px}
.wrap{max-width:76rem;margin:0 auto;padding:0 1rem}
header.top{border-bottom:1px solid var(--line)}
header.top .wrap{display:flex;gap:1rem;align-items:center;flex-wrap:wrap;padding-block:.8rem}
.logo{font-weight:800;font-size:1.35rem;text-decoration:none;letter-spacing:-.03em}.logo b{color:var(--lead)}
form.find{display:flex;flex:1 1 18rem;min-width:0}
input,select,button{font:inherit;color:inherit}
input,select{background:var(--ground);border:1px solid var(--quiet);border-radius:8px;padding:.55rem .7rem;min-height:44px;width:100%}
form.find input{border-radius:8px 0 0 8px}form.find button{border-radius:0 8px 8px 0}
button,.button{background:var(--lead);color:var(--on-lead);border:0;border-radius:8px;padding:.55rem 1.1rem;min-height:44px;font-weight:650;cursor:pointer;text-decoration:none;display:inline-flex;align-items:center;justify-content:center}
nav.short{display:flex;gap:1rem}nav.short a{min-height:44px;display:inline-flex;align-items:center}
.hero{background:var(--soft);border-bottom:1px solid var(--line);padding:2.2rem 0}.hero p{color:var(--quiet);max-width:44rem}
.tree{display:grid;gap:.7rem;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));padding:0;list-style:none}
.tree a{display:flex;flex-direction:column;justify-content:center;min-height:64px;padding:.6rem .9rem;border:1px solid var(--line);border-radius:var(--round);text-decoration:none;background:var(--soft)}
.tree a:hover,.card:hover{border-color:var(--lead)}
.quiet{color:var(--quiet);font-size:.92rem}
.cards{display:grid;gap:1.1rem;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));padding:0;list-style:none}
.card{position:relative;border:1px solid var(--line);border-radius:var(--round);overflow:hidden;display:flex;flex-direction:column;height:100%}
.card img{aspect-ratio:8/5;object-fit:cover;width:100%;background:var(--soft)}
.card .in{padding:.7rem .9rem .9rem;display:flex;flex-direction:column;gap:.3rem;flex:1}
.card h3 a{text-decoration:none;font-weight:550}.card h3 a::after{content:"";position:absolute;inset:0}
.card .price{margin-top:auto;font-weight:700}
.rating{color:var(--star)}.rating b{color:var(--star)}.rating .count,.rating.none{color:var(--quiet);font-weight:400}
.results{display:grid;gap:2rem;grid-template-columns:15rem 1fr;align-items:start}
.filters fieldset{border:0;padding:0;margin:0 0 1.2rem}.filters legend{font-weight:650;padding:0;margin-bottom:.4rem}
.filters label{display:block;margin:.3rem 0}.pair{display:flex;gap:.5rem}
.filters ul{list-style:none;padding:0;margin:0}.filters li a{display:flex;justify-content:space-between;padding:.35rem 0;min-height:32px}.filters li a[aria-current]{font-weight:700;color:var(--lead)}
.bars{display:flex;align-items:flex-end;gap:2px;height:44px;margin:.4rem 0}.bars i{flex:1;background:var(--lead);opacity:.55;border-radius:2px 2px 0 0;min-height:1px}
.bars .h0{height:0%}.bars .h1{height:12.5%}.bars .h2{height:25%}.bars .h3{height:37.5%}.bars .h4{height:50%}.bars .h5{height:62.5%}.bars .h6{height:75%}.bars .h7{height:87.5%}.bars .h8{height:100%}
.gig{display:grid;gap:2rem;grid-template-columns:minmax(0,1fr) 22rem;align-items:start}
.gig .cover{border-radius:var(--round);width:100%}
.packages{display:grid;gap:1rem}.package{border:1px solid var(--line);border-radius:var(--round);padding:1rem}.package h3{display:flex;justify-content:space-between;gap:1rem}
.package ul{padding-left:1.1rem;margin:.5rem 0}
aside.order{position:sticky;top:1rem;padding-top:1rem}
details{border-bottom:1px solid var(--line);padding:.7rem 0}summary{cursor:pointer;font-weight:600;min-height:32px}
.review{border-bottom:1px solid var(--line);padding:.8rem 0}.review p{margin:.3rem 0}
.tags{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;list-style:none}.tags a{border:1px solid var(--line);border-radius:99px;padding:.3rem .8rem;text-decoration:none;min-height:32px}
footer.end{border-top:1px solid var(--line);margin-top:3rem;padding:1.4rem 0;color:var(--quiet)}footer.end .wrap{display:flex;gap:1.2rem;flex-wrap:wrap}
.more{margin:2rem 0;text-align:center}
@media(max-width:52rem){.results,.gig{grid-template-columns:minmax(0,1fr)}aside.order{position:static}}
@media(prefers-reduced-motion:no-preference){@view-transition{navigation:auto}}
`.replaceAll('\n', '')
