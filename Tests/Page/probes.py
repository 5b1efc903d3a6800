"""What is asked of the page, in JavaScript: each expression gives a list of what is wrong, or a claim."""

ANSWERED = "document.body.dataset.answer === 'some'"
GONE = "document.body.dataset.state === 'away' && document.body.dataset.answer === 'none'"

# Elements that stand out of the window to the right, unless something around them scrolls.
WIDER = """(() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  return [`${document.documentElement.scrollWidth} of ${innerWidth}`, ...[...document.body.querySelectorAll('*')]
    .filter(one => !one.closest('.scroll *') && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.tagName + '.' + one.className).slice(0, 8)];
})()"""

HEADERS = """({
  bad: [...document.querySelectorAll('th')].filter(one => !['row', 'col'].includes(one.scope)).map(one => one.textContent)
    .concat([...document.querySelectorAll('tbody tr')].filter(row => !row.querySelector('th[scope=row]')).map(row => 'no name: ' + row.textContent.slice(0, 60))),
  tables: document.querySelectorAll('table').length,
})"""

STRUCTURE = """(() => {
  const wrong = [];
  const say = (claim, holds) => { if (!holds) wrong.push(claim); };
  for (const name of ['header', 'main', 'footer', 'h1', 'title']) say(`one ${name}`, document.querySelectorAll(name).length === 1);
  say('language', document.documentElement.lang === 'en');
  let level = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3')) {
    const own = Number(heading.tagName[1]);
    say(`no level left out: ${heading.textContent}`, own <= level + 1);
    level = own;
  }
  for (const section of document.querySelectorAll('section, [role=region]')) {
    say('a section has a name', document.getElementById(section.getAttribute('aria-labelledby'))?.textContent.trim());
  }
  for (const svg of document.querySelectorAll('svg')) say('a plot has words', svg.getAttribute('role') === 'img' && svg.getAttribute('aria-label')?.length > 30);
  const live = [...document.querySelectorAll('[aria-live], [role=alert], [role=status]')];
  say('the headline alone is live', live.length === 1 && live[0].id === 'headline' && live[0].getAttribute('aria-live') === 'polite');
  say('no style attribute', document.querySelectorAll('[style]').length === 0);
  const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
  say('ids are unique', new Set(ids).size === ids.length);
  for (const box of document.querySelectorAll('.scroll')) say('what scrolls can have the focus', box.tabIndex === 0);
  return wrong;
})()"""

# Text whose colour is too near to what it stands on: WCAG 2.2, 1.4.3. Colours may have an alpha; the grey filter keeps luminance, nearly.
CONTRAST = r"""(() => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = (top, ground) => [0, 1, 2].map(i => top[i] * top[3] + ground[i] * (1 - top[3])).concat(1);
  const luminance = colour => colour.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = element => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const wrong = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(), seen = new Set(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || seen.has(element) || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(element.tagName) || !element.checkVisibility()) continue;
    seen.add(element);
    const below = ground(element);
    let colour = over(parse(getComputedStyle(element).color), below);
    for (let one = element; one; one = one.parentElement) if (getComputedStyle(one).opacity < 1) wrong.add('opacity: ' + one.className);
    const [light, dark] = [luminance(colour), luminance(below)].sort((a, b) => b - a);
    const contrast = (light + .05) / (dark + .05);
    if (contrast < 4.5) wrong.add(`${contrast.toFixed(2)} ${element.tagName}.${element.className}: ${node.data.slice(0, 30)}`);
  }
  return [...wrong].slice(0, 10);
})()"""

# Elements that the page does not make, text that cannot be seen, and text of devices that is not isolated from what stands beside it.
FOREIGN = r"""(() => {
  const known = new Set(('HTML HEAD META TITLE STYLE BODY A HEADER H1 H2 H3 SPAN P MAIN DIV STRONG NOSCRIPT CODE SECTION FORM LABEL INPUT BUTTON OL UL LI DL DT DD '
    + 'SMALL FIGURE FIGCAPTION SVG PATH LINE OUTPUT TABLE THEAD TBODY TR TH TD BDI WBR B TIME DETAILS SUMMARY FOOTER SCRIPT').split(' '));
  const strange = [...document.querySelectorAll('*')].filter(one => !known.has(one.tagName.toUpperCase())
    || [...one.attributes].some(attribute => attribute.name.startsWith('on') || attribute.name === 'src' || attribute.name === 'style'))
    .map(one => one.outerHTML.slice(0, 80));
  for (const [tag, number] of [['script', 1], ['style', 1], ['a', 4], ['form', 1], ['input', 1], ['button', 2]]) {
    if (document.querySelectorAll(tag).length !== number) strange.push(`${document.querySelectorAll(tag).length} <${tag}>`);
  }
  const invisible = [], joined = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest('script, style') || !node.parentElement.checkVisibility()) continue;
    const text = node.data;
    const hidden = text.replace(/(?<=[\p{Extended_Pictographic}\uFE0F])\u200D/gu, '').match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    if (hidden && text.trim()) invisible.push(`U+${hidden[0].codePointAt(0).toString(16)} in ${text.slice(0, 60)}`);
    if (/hostile|elsewhere|taken|__proto__|\u{1F6F0}/u.test(text)) {
      const isolated = node.parentElement.closest('bdi');
      if (!isolated || getComputedStyle(isolated).unicodeBidi !== 'isolate') joined.push(text.slice(0, 60));
    }
  }
  return { strange: strange.slice(0, 8), invisible: invisible.slice(0, 8), joined: joined.slice(0, 8) };
})()"""
