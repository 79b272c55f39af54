// Runs inside the page: evaluated as text by `tests/browser/look.test.ts`, after axe-core.
globalThis.look = {
  /** Violations of WCAG 2.2 A and AA and of axe's best practices, one line each. */
  violations(part) {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    return this.run({ type: "tag", values: tags }, part);
  },

  /** Those of them that another theme can have. */
  colourViolations() {
    return this.run({ type: "rule", values: ["color-contrast", "link-in-text-block"] });
  },

  /** Violations in menus, one after the other as they open; they are open from then on. What they cover is no fault. */
  async menuViolations() {
    const found = [];
    for (const menu of document.querySelectorAll("details.menu")) {
      menu.open = true;
      found.push(...(await this.violations(menu)));
    }
    return found;
  },

  async run(runOnly, part = document) {
    const result = await axe.run(part, { runOnly });
    return result.violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`),
    );
  },

  /** How far the page is wider than the window, and controls that are too small to hit. */
  measure(minimum) {
    const controls = [...document.querySelectorAll("a,button,input,select,textarea,summary")];
    const small = controls.filter((element) => {
      const { width, height } = element.getBoundingClientRect();
      // A link inside a sentence is exempt (WCAG 2.5.8); tiles stretch their link over themselves.
      const inline = getComputedStyle(element).display === "inline";
      const stretched = getComputedStyle(element, "::after").position === "absolute";
      const ignored = element.closest("svg,.sr,.skip") !== null || !element.checkVisibility();
      if (inline || stretched || ignored || width === 0) return false;
      return width < minimum || height < minimum - 0.1;
    });
    return {
      sideways: document.documentElement.scrollWidth - innerWidth,
      small: small.map((element) => element.outerHTML.slice(0, 120)),
    };
  },

  /** What is folded away must be right too. A menu covers what is below it: see `menuViolations`. */
  unfold() {
    for (const fold of document.querySelectorAll("details:not(.menu)")) fold.open = true;
  },

  /** Pairs of tokens below 4.5 (text) or 3 (marks), resolved by the browser itself. */
  lowContrast() {
    const pairs = [
      [4.5, "var(--on-accent)", "var(--accent)"],
      [4.5, "var(--accent-fg)", "var(--well)"],
      [4.5, "var(--ink-3)", mix("line-strong", 12)],
      [3, "var(--accent)", "var(--bg)"],
      [3, "var(--line-strong)", "var(--panel)"],
    ];
    for (const ink of ["ink", "ink-2", "ink-3"])
      for (const surface of ["bg", "side", "panel", "raise", "well"])
        pairs.push([4.5, `var(--${ink})`, `var(--${surface})`]);
    for (const tone of ["critical", "warning", "info", "ok"]) {
      for (const surface of ["panel", "raise", "well"])
        pairs.push([4.5, `var(--${tone}-fg)`, `var(--${surface})`]);
      for (const part of [7, 9, 12, 14]) pairs.push([4.5, `var(--${tone}-fg)`, mix(tone, part)]);
      pairs.push([4.5, "var(--ink-2)", mix(tone, 9)], [3, `var(--${tone})`, "var(--panel)"]);
    }
    return pairs
      .map(([minimum, front, back]) => ({ minimum, front, back, ratio: ratio(front, back) }))
      .filter((pair) => pair.ratio < pair.minimum)
      .map((pair) => `${pair.front} on ${pair.back}: ${pair.ratio.toFixed(2)}`);
  },
};

function mix(tone, part) {
  return `color-mix(in oklab, var(--${tone}) ${part}%, var(--panel))`;
}

const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const probe = document.body.appendChild(document.createElement("i"));

function luminance(css) {
  probe.style.setProperty("color", css);
  canvas.fillStyle = getComputedStyle(probe).color;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = Array.from(canvas.getImageData(0, 0, 1, 1).data, (raw) => {
    const value = raw / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function ratio(left, right) {
  const [low, high] = [luminance(left), luminance(right)].toSorted((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
