/**
 * What a program can tell of a page's accessibility, found in the page itself: names of controls, order of
 * headings, contrast of text (WCAG 2.2: 1.3.1, 1.4.3, 1.4.10, 2.4.1, 4.1.2). The checks run in the page, so
 * each holds everything that it needs and answers with the faults in words.
 */
import type { Page } from 'playwright-core';

/** Controls and images without a name. */
const unnamed = (): string[] => {
  const textOf = (ids: string | null): string =>
    (ids ?? '')
      .split(/\s+/)
      .map((id) => document.getElementById(id)?.textContent ?? '')
      .join(' ');
  const hasName = (element: Element): boolean =>
    [
      textOf(element.getAttribute('aria-labelledby')),
      element.getAttribute('aria-label') ?? '',
      ...[...((element as HTMLInputElement).labels ?? [])].map((label) => label.textContent),
      element.matches('button, a, summary') ? element.textContent : '',
    ].some((name) => name.trim() !== '');
  const controls =
    'button, a[href], input, select, textarea, summary, [role=slider], [role=progressbar], [tabindex="0"]';
  const isWordless = (image: Element): boolean =>
    image.getAttribute('aria-hidden') !== 'true' &&
    !image.hasAttribute('alt') &&
    !image.hasAttribute('aria-label');
  return [
    ...[...document.querySelectorAll(controls)]
      .filter((control) => !hasName(control))
      .map((control) => `no name: ${control.outerHTML.slice(0, 120)}`),
    ...[...document.querySelectorAll('img, svg')]
      .filter(isWordless)
      .map((image) => `image without words: ${image.outerHTML.slice(0, 120)}`),
  ];
};

/** Ids, references, headings, landmarks, tables. */
const misbuilt = (): string[] => {
  const all = (selector: string): Element[] => [...document.querySelectorAll(selector)];
  const ids = all('[id]').map(({ id }) => id);
  const references = ['aria-labelledby', 'aria-describedby'].flatMap((attribute) =>
    all(`[${attribute}]`).flatMap((element) =>
      element.getAttribute(attribute)!.split(/\s+/).filter(Boolean),
    ),
  );
  const levels = all('h1, h2, h3, h4')
    .filter((heading) => heading.checkVisibility())
    .map(({ tagName }) => Number(tagName[1]));
  const landmarks = ['main', 'nav', 'header', '[aria-live]', 'html[lang]', 'title:not(:empty)'];
  return [
    ...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `the id '${id}' stands twice`),
    ...references.filter((id) => !ids.includes(id)).map((id) => `there is no '${id}' to refer to`),
    ...all('[tabindex]')
      .filter((element) => (element as HTMLElement).tabIndex > 0)
      .map((element) => `tabindex above 0: ${element.outerHTML.slice(0, 120)}`),
    ...(levels.filter((level) => level === 1).length === 1 ? [] : ['not exactly one h1']),
    ...levels.flatMap((level, i) =>
      level - (levels[i - 1] ?? 0) > 1 ? [`a heading skips to h${level}`] : [],
    ),
    ...landmarks.filter((one) => !document.querySelector(one)).map((one) => `there is no ${one}`),
    ...all('table')
      .filter((table) => !table.querySelector('th[scope=col]'))
      .map(() => 'a table without headed columns'),
  ];
};

/** Text that is hard to read on what lies behind it; what is disabled may be. */
const faint = (): string[] => {
  type Color = readonly [number, number, number, number];
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
  const colorOf = (css: string): Color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r!, g!, b!, a! / 255];
  };
  const over = (top: Color, below: Color): Color => {
    const mix = (i: 0 | 1 | 2): number => top[i] * top[3] + below[i] * (1 - top[3]);
    return [mix(0), mix(1), mix(2), 1];
  };
  const behind = (element: Element | null): Color =>
    element === null
      ? [255, 255, 255, 1]
      : over(colorOf(getComputedStyle(element).backgroundColor), behind(element.parentElement));
  const linear = (value: number): number =>
    value <= 10.31 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]: Color): number =>
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const faults: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement!;
    const text = walker.currentNode.textContent?.trim();
    const isShown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const isExempt = element.closest('noscript, .visually-hidden, :disabled, [aria-disabled=true]');
    if (!text || !isShown || isExempt) continue;
    const { fontSize, fontWeight, color } = getComputedStyle(element);
    const size = Number.parseFloat(fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700) ? 3 : 4.5;
    const back = behind(element);
    const [a, b] = [luminance(over(colorOf(color), back)), luminance(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) faults.push(`contrast ${ratio.toFixed(2)}: ${text.slice(0, 60)}`);
  }
  return faults;
};

/** A page that has to be scrolled sideways. */
const tooWide = (): string[] =>
  document.documentElement.scrollWidth <= innerWidth
    ? []
    : [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
        .filter((element) => !element.closest('.table-scroll'))
        .map((element) => `too wide: ${element.outerHTML.slice(0, 120)}`);

export const accessibilityFaults = async (page: Page): Promise<string[]> => [
  ...(await page.evaluate(unnamed)),
  ...(await page.evaluate(misbuilt)),
  ...(await page.evaluate(faint)),
  ...(await page.evaluate(tooWide)),
];
