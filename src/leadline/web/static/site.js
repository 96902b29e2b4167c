// What pages do better with script: the panel of a number, keys, tips on marks, forms that send themselves.
(function () {
  "use strict";
  const panel = () => document.getElementById("panel");
  const tell = (text) => { document.getElementById("told").textContent = text; };
  const store = {
    get(name) { try { return localStorage.getItem(name); } catch (blocked) { return null; } },
    set(name, value) { try { value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value); } catch (blocked) { /* not kept */ } },
  };
  const keysOff = () => store.get("keys") === "off";

  // --- the panel -------------------------------------------------------------------------------
  let before = null;
  async function openPanel(link) {
    before = link;
    const box = document.getElementById("panel-body");
    box.setAttribute("aria-busy", "true");
    let response;
    try {
      response = await fetch(link.href, { headers: { "X-Panel": "1" }, credentials: "same-origin" });
    } catch (gone) { window.location = link.href; return; }
    const type = response.headers.get("content-type") || "";
    const text = await response.text();
    const found = type.includes("text/html") ? new DOMParser().parseFromString(text, "text/html").getElementById("panel-content") : null;
    if (!found) { window.location = link.href; return; }
    box.replaceChildren(document.importNode(found, true));
    box.removeAttribute("aria-busy");
    if (window.htmx) htmx.process(box);
    if (!panel().open) panel().showModal();
    panel().scrollTop = 0;
    const value = box.querySelector("[data-told]");
    if (value) tell(value.textContent);
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.n, a[data-panel]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      event.stopPropagation();
      openPanel(link);
      return;
    }
    const button = event.target.closest("[data-action]");
    if (button && button.tagName === "BUTTON") act(button);
    if (event.target === panel() || event.target.closest("[data-action='close-panel']")) panel().close();
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  }, true);
  document.addEventListener("close", (event) => {
    if (event.target === panel() && before && before.isConnected) before.focus();
  }, true);

  // --- theme and keys ---------------------------------------------------------------------------
  function act(button) {
    if (button.dataset.action === "theme") {
      const next = { "": "dark", dark: "light", light: "" }[store.get("theme") || ""];
      store.set("theme", next || null);
      if (next) document.documentElement.setAttribute("data-theme", next); else document.documentElement.removeAttribute("data-theme");
      named(button);
      tell(button.textContent);
    } else if (button.dataset.action === "help") document.getElementById("keys").showModal();
    else if (button.dataset.action === "copy") navigator.clipboard.writeText(button.dataset.text).then(() => tell(button.dataset.done));
  }
  function named(button) {
    const at = store.get("theme") || "system";
    button.textContent = button.dataset[at];
  }
  const pages = { o: "overview", f: "funnel", v: "velocity", i: "influence", t: "trust", s: "search", d: "definitions", b: "boards" };
  let waiting = false;
  document.addEventListener("keydown", (event) => {
    const at = document.activeElement;
    if (event.key === "Escape") { hideTip(); document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); }); }
    if (at && at.closest && at.closest("[data-chart]") && /^Arrow(Left|Right)$/.test(event.key)) { step(at.closest("[data-chart]"), event.key === "ArrowRight" ? 1 : -1); event.preventDefault(); return; }
    if (at && at.matches && at.matches("[data-chart]") && event.key === "Enter") { const mark = at.querySelector(".at"); if (mark) follow(mark); return; }
    if (keysOff() || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (at && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName)) return;
    if (waiting) {
      waiting = false;
      const link = document.querySelector(`[data-page="${pages[event.key]}"]`);
      if (link) { link.click(); event.preventDefault(); }
    } else if (event.key === "g") waiting = true;
    else if (event.key === "/") { const link = document.querySelector('[data-page="search"]'); if (link) { event.preventDefault(); link.click(); } }
    else if (event.key === "?") { document.getElementById("keys").showModal(); event.preventDefault(); }
    else if (event.key === "x") { const link = document.querySelector('[data-key="clear"]'); if (link) link.click(); }
  });
  document.addEventListener("change", (event) => {
    if (event.target.dataset.action === "keys-off") store.set("keys", event.target.checked ? "off" : null);
    const form = event.target.closest("form[data-auto]");
    if (form && event.target.tagName === "SELECT") form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    // Fields without a value stay out of the address.
    if ((event.target.method || "get").toLowerCase() === "get")
      for (const one of event.target.elements) if (one.name && one.value === "") { one.disabled = true; setTimeout(() => { one.disabled = false; }, 0); }
  }, true);

  // --- marks of a chart: a tip on hover, arrows from mark to mark --------------------------------
  const MARK = '[role="graphics-symbol"][aria-label]:not([aria-roledescription="axis"], [aria-roledescription="title"], [aria-roledescription="legend"])';
  const tip = () => document.getElementById("tip");
  function showTip(mark) {
    const text = mark.getAttribute("aria-label");
    if (!text) return;
    const box = mark.getBoundingClientRect(), shown = tip();
    // One fact a line.
    shown.textContent = text.replace(/; /g, "\n");
    shown.hidden = false;
    const left = Math.max(8, Math.min(box.left + box.width / 2 - shown.offsetWidth / 2, window.innerWidth - shown.offsetWidth - 8));
    const top = box.top - shown.offsetHeight - 6;
    shown.style.left = `${left}px`;
    shown.style.top = `${top > 4 ? top : box.bottom + 6}px`;
  }
  function hideTip() { if (tip()) tip().hidden = true; document.querySelectorAll(".drawing .at").forEach((one) => one.classList.remove("at")); }
  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest && event.target.closest(`.drawing ${MARK}`);
    if (mark) showTip(mark);
    else if (event.target !== tip()) hideTip();
  });
  function step(chart, by) {
    const marks = [...chart.querySelectorAll(MARK)];
    if (!marks.length) return;
    const now = marks.findIndex((one) => one.classList.contains("at"));
    hideTip();
    const next = marks[(now + by + marks.length) % marks.length];
    next.classList.add("at");
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
    showTip(next);
    tell(next.getAttribute("aria-label"));
  }
  function follow(mark) {
    const found = /record: ([A-Za-z0-9]+)/.exec(mark.getAttribute("aria-label") || "");
    if (found) window.location = (found[1].startsWith("006") ? "/deal/" : "/journey/") + found[1];
  }
  document.addEventListener("click", (event) => { const mark = event.target.closest(`.drawing ${MARK}`); if (mark) follow(mark); });
  document.addEventListener("focusout", (event) => { if (event.target.closest && event.target.closest("[data-chart]")) hideTip(); });

  // --- pages that come by htmx --------------------------------------------------------------------
  let slow = 0;
  document.addEventListener("htmx:beforeRequest", () => { if (asking) { asking.abort(); asking = null; } slow = setTimeout(() => document.body.classList.add("slow"), 1000); });
  document.addEventListener("htmx:afterRequest", () => { clearTimeout(slow); document.body.classList.remove("slow"); });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (!xhr.responseText.includes('id="shell"')) {
      // Another kind of page, e.g. the door: let the browser go there itself.
      event.detail.shouldSwap = false;
      if (requestConfig && requestConfig.verb === "get") window.location = xhr.responseURL || requestConfig.path;
    } else if (panel() && panel().open) { before = null; panel().close(); }
  });
  // What was not there in time is asked for again, and put in its place as it comes.
  function filled(fresh) {
    const olds = [...document.querySelectorAll("[data-cards]")], news = [...fresh.querySelectorAll("[data-cards]")];
    olds.forEach((old, at) => {
      if (!news[at]) return;
      const cards = [...old.children], others = [...news[at].children];
      if (cards.length !== others.length) {
        const link = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
        old.replaceChildren(...others);
        const same = link && [...old.querySelectorAll("a")].find((one) => one.getAttribute("href") === link);
        if (same) same.focus({ preventScroll: true });
        return;
      }
      cards.forEach((card, place) => {
        if (card.matches("[data-waits]") || card.querySelector("[data-waits]")) card.replaceWith(others[place]);
      });
    });
    for (const name of [".strip", ".notices"]) {
      const old = document.querySelector(`#main ${name}`), now = fresh.querySelector(`#main ${name}`);
      if (old && now) old.replaceWith(now);
    }
    const content = document.getElementById("content");
    content.toggleAttribute("data-pending", fresh.getElementById("content").hasAttribute("data-pending"));
    if (window.htmx) htmx.process(content);
  }
  let asking = null;
  async function complete() {
    if (asking) asking.abort();
    const mine = asking = new AbortController();
    for (let failed = 0; failed < 5 && !mine.signal.aborted && document.querySelector("#content[data-pending]");) {
      try {
        const response = await fetch(location.href.split("#")[0], { headers: { "X-Patience": "more" }, credentials: "same-origin", signal: mine.signal });
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        if (mine.signal.aborted) return;
        if (response.ok && fresh.getElementById("content")) { filled(fresh); continue; }
      } catch (gone) { if (mine.signal.aborted) return; }
      failed += 1;
      await new Promise((done) => { setTimeout(done, 1000); });
    }
    if (mine.signal.aborted) return;
    asking = null;
    tell(document.body.dataset.whole);
  }
  function ready() {
    if (document.querySelector("#content[data-pending]")) complete();
    document.querySelectorAll('[data-action="theme"], [data-action="help"]').forEach((one) => { one.hidden = false; });
    document.querySelectorAll('[data-action="theme"]').forEach(named);
    document.querySelectorAll('[data-action="keys-off"]').forEach((one) => { one.checked = keysOff(); });
    const said = document.querySelector("#main [data-told]");
    if (said) tell(said.textContent.trim());
    const title = document.querySelector("#main h1");
    if (title) document.title = `${title.textContent.trim()} · Leadline`;
  }
  document.addEventListener("htmx:afterSettle", ready);
  document.addEventListener("DOMContentLoaded", ready);
})();
