// The bar: a field, what was found, and buttons, in a shadow tree that the page's styles do not reach.
"use strict";

globalThis.pumiceBar ??= (() => {
  const STYLE = `
    :host { all: initial; position: fixed; top: 12px; right: 12px; z-index: 2147483647; color-scheme: light dark; }
    form { display: flex; align-items: center; gap: 4px; padding: 6px; border-radius: 10px; font: 14px/1.4 system-ui, sans-serif;
      color: light-dark(#1c1917, #f5f5f4); background: light-dark(#fff, #292524); border: 1px solid light-dark(#d6d3d1, #57534e);
      box-shadow: 0 4px 18px rgb(0 0 0 / 25%); max-width: calc(100vw - 24px); box-sizing: border-box; animation: in .12s ease-out; }
    @keyframes in { from { opacity: 0; transform: translateY(-6px); } }
    @media (prefers-reduced-motion: reduce) { form { animation: none; } }
    input { width: 20em; min-width: 6em; flex: 1; padding: 6px 8px; border: 0; border-radius: 6px; font: inherit; color: inherit;
      background: light-dark(#f5f5f4, #1c1917); }
    output { min-width: 6.5em; text-align: center; font-variant-numeric: tabular-nums; color: light-dark(#57534e, #d6d3d1); }
    button { width: 30px; height: 30px; border: 0; border-radius: 6px; font: inherit; color: inherit; background: none; cursor: pointer; }
    button:hover { background: light-dark(#e7e5e4, #44403c); }
    button:disabled { opacity: .4; cursor: default; }
    :focus-visible { outline: 2px solid #ea580c; outline-offset: 1px; }
    @media (forced-colors: active) { form, input { border: 1px solid; } }`;

  // `on` has query(text), step(by) and close().
  function open(on) {
    const host = document.createElement("div");
    host.id = "pumice-find";
    const shadow = host.attachShadow({ mode: "closed" });
    style(shadow);

    const form = element("form", { role: "search", ariaLabel: "Find in page by meaning" });
    const input = element("input", { type: "text", placeholder: "Find by meaning", ariaLabel: "What to find, in your own words", autocomplete: "off", spellcheck: false, dir: "auto" });
    const output = element("output", { ariaLive: "polite" });
    const previous = button("Previous passage (Shift+Enter)", "↑", () => on.step(-1));
    const next = button("Next passage (Enter)", "↓", () => on.step(1));
    const close = button("Close (Escape)", "✕", () => on.close());
    form.append(input, output, previous, next, close);
    shadow.append(form);

    form.addEventListener("submit", (event) => event.preventDefault());
    input.addEventListener("input", () => on.query(input.value));
    form.addEventListener("keydown", (event) => {
      const act = {
        Enter: event.target === input ? () => on.step(event.shiftKey ? -1 : 1) : null,
        ArrowDown: () => on.step(1),
        ArrowUp: () => on.step(-1),
        Escape: () => on.close(),
      }[event.key];
      if (!act || event.isComposing) return;
      event.preventDefault();
      act();
    });
    // The page's own shortcuts are not meant by what is typed here.
    for (const type of ["keydown", "keyup", "keypress", "input", "paste"]) host.addEventListener(type, (event) => event.stopPropagation());

    document.documentElement.append(host);
    const before = document.activeElement;
    input.focus();

    return {
      host,
      input,
      focus: () => (input.focus(), input.select()),
      tell: (text, canStep) => {
        output.value = text;
        previous.disabled = next.disabled = !canStep;
      },
      text: () => output.value,
      remove: () => {
        host.remove();
        before?.focus?.({ preventScroll: true });
      },
    };
  }

  function button(label, text, act) {
    const made = element("button", { type: "button", title: label, ariaLabel: label, textContent: text, disabled: true });
    made.disabled = text !== "✕";
    made.addEventListener("click", act);
    return made;
  }

  const element = (name, properties) => Object.assign(document.createElement(name), properties);

  // A constructed sheet passes every page's Content-Security-Policy; Firefox lets no content script adopt one.
  function style(shadow) {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      shadow.adoptedStyleSheets = [sheet];
    } catch {
      shadow.append(element("style", { textContent: STYLE }));
    }
  }

  return { open };
})();
