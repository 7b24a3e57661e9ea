/* Puts the chat of this address into a page: a round button that opens it in a frame.
   Nothing of the page is read but its origin and its language, and nothing of it is changed: all that is added
   stands in a shadow root of its own, styled without a style attribute, for pages with a strict policy. */
(() => {
  "use strict";

  const allowed = []; // The server writes web.embed_origins here.
  const chat = new URL("./", document.currentScript.src);

  const words = (document.documentElement.lang || navigator.language).toLowerCase().startsWith("ko")
    ? { open: "채팅 상담 열기", close: "채팅 상담 닫기", chat: "채팅 상담" }
    : { open: "Open the chat", close: "Close the chat", chat: "Chat" };

  const styles = `
    :host { all: initial; color-scheme: light dark; --ground: #0f766e; --sign: #ffffff; --panel: #ffffff; --text: #1c1917; }
    @media (prefers-color-scheme: dark) { :host { --ground: #5eead4; --sign: #042f2e; --panel: #0c0a09; --text: #f5f5f4; } }
    @media print { :host { display: none; } }
    button { display: grid; place-items: center; padding: 0; border: 0; cursor: pointer; font: inherit; }
    button:focus-visible { outline: 3px solid var(--text); outline-offset: 2px; }
    svg { width: 26px; height: 26px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .toggle {
      position: fixed; z-index: 2147483001; right: 20px; bottom: 20px; width: 56px; height: 56px; border-radius: 50%;
      background: var(--ground); color: var(--sign); box-shadow: 0 4px 16px rgb(0 0 0 / 30%);
    }
    dialog {
      position: fixed; z-index: 2147483000; inset: auto 20px 88px auto; box-sizing: border-box; margin: 0; padding: 0;
      width: 400px; height: min(680px, 100vh - 108px); height: min(680px, 100dvh - 108px); max-width: none; max-height: none;
      overflow: hidden; border: 0; border-radius: 16px; background: var(--panel); color: var(--text);
      box-shadow: 0 8px 40px rgb(0 0 0 / 35%);
    }
    dialog[open] { display: flex; flex-direction: column; }
    header { display: none; }
    iframe { flex: 1; width: 100%; min-height: 0; border: 0; color-scheme: light dark; }
    @media (max-width: 480px) {
      dialog { inset: 0; width: 100vw; height: 100vh; height: 100dvh; border-radius: 0; }
      header { display: flex; align-items: center; justify-content: flex-end; padding: 2px 6px; }
      .close { width: 44px; height: 44px; border-radius: 50%; background: none; color: var(--text); }
    }
  `;
  const bubble = "M21 12a8 8 0 0 1-8 8H4l2-3.5A8 8 0 1 1 21 12Z";
  const cross = "M6 6l12 12M18 6 6 18";

  function sign(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
    svg.firstChild.setAttribute("d", path);
    return svg;
  }

  function button(name, label, path) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = name;
    made.setAttribute("aria-label", label);
    made.append(sign(path));
    return made;
  }

  function add() {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];

    const toggle = button("toggle", words.open, bubble);
    toggle.setAttribute("aria-haspopup", "dialog");
    toggle.setAttribute("aria-expanded", "false");
    const close = button("close", words.close, cross);
    const header = document.createElement("header");
    header.append(close);
    const panel = document.createElement("dialog");
    panel.setAttribute("aria-label", words.chat);
    panel.append(header);
    root.append(toggle, panel);
    document.body.append(host);

    // Made with the first click: who does not chat loads nothing of it.
    let frame = null;

    function open() {
      if (!frame) {
        frame = document.createElement("iframe");
        frame.title = words.chat;
        frame.allow = "fullscreen; clipboard-write";
        frame.referrerPolicy = "no-referrer";
        frame.src = chat.href;
        panel.append(frame);
      }
      // On a phone the chat covers the page, which must not be reached meanwhile.
      if (matchMedia("(max-width: 480px)").matches) panel.showModal();
      else panel.show();
      toggle.setAttribute("aria-expanded", "true");
      toggle.setAttribute("aria-label", words.close);
      toggle.replaceChildren(sign(cross));
      frame.focus();
    }

    panel.addEventListener("close", () => {
      toggle.setAttribute("aria-expanded", "false");
      toggle.setAttribute("aria-label", words.open);
      toggle.replaceChildren(sign(bubble));
      toggle.focus();
    });
    toggle.addEventListener("click", () => (panel.open ? panel.close() : open()));
    close.addEventListener("click", () => panel.close());
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && panel.open) panel.close();
    });
    // What is pressed within the frame stays there, so the chat tells.
    window.addEventListener("message", (event) => {
      const own = frame && event.source === frame.contentWindow && event.origin === chat.origin;
      if (own && event.data === "mmchat:close" && panel.open) panel.close();
    });
  }

  // Pages that frame this one have to be allowed, too; Firefox does not name them.
  const pages = [location.origin, ...(location.ancestorOrigins || [])];
  const strangers = pages.filter((origin) => origin !== chat.origin && !allowed.includes(origin));
  if (window.mmchatEmbedded) {
    console.warn("mmchat: embed.js stands in this page twice; the second is left out.");
  } else if (strangers.length) {
    console.error(
      `mmchat: ${strangers.join(", ")} may not show the chat of ${chat.origin}. Whoever runs the chat lists the ` +
        `sites that may: [web] embed_origins = ["${strangers[0]}"].`,
    );
  } else {
    window.mmchatEmbedded = true;
    if (document.body) add();
    else document.addEventListener("DOMContentLoaded", add);
  }
})();
