// Draws the figures of a page from the JSON beside them, in the colours of the page, at the width there is.
"use strict";

(() => {
  const NARROW = 520; // pixels; below this a figure is on a phone
  const PRINT_WIDTH = 640; // pixels; fits the text column of A4 and US letter
  const touch = matchMedia("(pointer: coarse)").matches;
  const figures = [];
  let printing = false;

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // The layout as the notebook made it, with text colour, sizes and space for where it is shown.
  function placed(layout, width) {
    const own = structuredClone(layout);
    const base = (own.template = own.template || {}).layout || {};
    const text = css("--pst-color-text-base");
    const narrow = width < NARROW;
    const small = narrow || compact(own);
    own.template.layout = {
      ...base,
      font: { ...base.font, color: text, size: small ? 12 : 13 },
      hoverlabel: {
        ...base.hoverlabel,
        bgcolor: css("--pst-color-surface"),
        bordercolor: css("--pst-color-border"),
        font: { ...(base.hoverlabel || {}).font, color: text },
      },
    };
    own.margin = { l: small ? 44 : 56, r: small ? 8 : 16, b: 48, t: hasHeads(own) ? 32 : 12, ...own.margin };
    own.legend = { ...own.legend, xref: "container", x: 0, yref: "container", y: 1, yanchor: "top" };
    own.width = width;
    own.autosize = false;
    own.uirevision = "kept"; // a zoomed figure stays zoomed when the theme changes
    // A finger that scrolls the page must not zoom a figure.
    if (touch) own.dragmode = false;
    return own;
  }

  // A small picture on the first page.
  const compact = ({ meta }) => Boolean((meta || {}).compact);

  // Names above panels need room; the figure's own title is the caption.
  const hasHeads = ({ annotations }) => (annotations || []).some(({ yref, y }) => yref === "paper" && y >= 1);

  // One drawing at a time: two at once in one box would mix.
  let last = Promise.resolve();
  const draw = (figure, width) => (last = last.then(() => drawNow(figure, width)));

  async function drawNow(figure, width) {
    const { box, data, layout } = figure;
    figure.width = width;
    const config = {
      displaylogo: false,
      displayModeBar: touch || compact(layout) ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    };
    await Plotly.react(box, structuredClone(data), placed(layout, width), config);
    const fitted = { ...decades(box._fullLayout), ...raised(box._fullLayout, layout.height || 400) };
    if (Object.keys(fitted).length) await Plotly.relayout(box, fitted);
  }

  // Over two decades and more, plotly's ticks at 2 and 5 collide; whole decades are enough, as many as fit.
  function decades(full) {
    const fitted = {};
    for (const [name, axis] of Object.entries(full)) {
      if (!/^[xy]axis\d*$/.test(name) || axis.type !== "log" || axis.tickmode === "array") continue;
      const span = Math.abs(axis.range[1] - axis.range[0]);
      const room = axis._length / (name[0] === "x" ? 48 : 28);
      if (span >= 1.5) fitted[`${name}.dtick`] = Math.max(1, Math.ceil(span / room));
    }
    return fitted;
  }

  // The legend stands above the panels and would squeeze them; the figure grows by its rows instead.
  function raised({ showlegend, legend, margin }, height) {
    const rows = showlegend && legend && legend.orientation === "h" ? Math.ceil(legend._height) : 0;
    return rows > 0 ? { height: height + rows, "margin.t": margin.t + rows } : {};
  }

  const widthOf = ({ box, layout }) =>
    Math.max(box.parentElement.clientWidth, ((layout.meta || {}).min_width) || 0);

  // Pixels between a figure and what the reader sees.
  function distance({ box }) {
    const { top, bottom } = box.getBoundingClientRect();
    return Math.max(top - innerHeight, -bottom, 0);
  }

  // What the reader sees comes first, and the page can be scrolled between two figures. A newer call takes over.
  let calls = 0;
  async function redraw(width) {
    const waiting = new Set(figures);
    const call = ++calls;
    while (waiting.size && call === calls) {
      const figure = [...waiting].reduce((a, b) => (distance(b) < distance(a) ? b : a));
      waiting.delete(figure);
      const wide = width || widthOf(figure);
      if (wide > 0) await draw(figure, wide);
      if (!printing) await new Promise((done) => setTimeout(done));
    }
    if (!waiting.size) document.documentElement.dataset.figures = "drawn";
  }

  async function start() {
    for (const element of document.querySelectorAll("figure.plotly-figure")) {
      const { data, layout } = JSON.parse(element.querySelector("script").textContent);
      figures.push({ box: element.querySelector(".plotly-canvas"), data, layout, width: 0 });
    }
    if (window.MathJax && MathJax.startup && MathJax.startup.promise) await MathJax.startup.promise;
    new MutationObserver(() => printing || redraw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    printInLight();
    await redraw();

    // Covers the window's width, a sidebar that folds, and a figure inside a closed box that opens.
    const resized = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const figure = figures.find(({ box }) => box.parentElement === target);
        const width = widthOf(figure);
        if (!printing && target.clientWidth > 0 && Math.abs(width - figure.width) > 1) draw(figure, width);
      }
    });
    figures.forEach(({ box }) => resized.observe(box.parentElement));
  }

  // Paper is light and narrow, whatever the screen shows.
  function printInLight() {
    const root = document.documentElement;
    let theme;
    addEventListener("beforeprint", () => {
      printing = true;
      theme = root.dataset.theme;
      root.dataset.theme = "light";
      redraw(PRINT_WIDTH);
    });
    addEventListener("afterprint", () => {
      printing = false;
      root.dataset.theme = theme;
      redraw();
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
