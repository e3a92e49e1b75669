"use strict";
(() => {
  const tip = document.getElementById("tip");

  const show = (mark) => {
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const box = (mark.querySelector(".dot, .fill") || mark).getBoundingClientRect();
    const width = tip.offsetWidth, height = tip.offsetHeight;
    const left = Math.min(Math.max(8, box.left + box.width / 2 - width / 2), document.documentElement.clientWidth - width - 8);
    const above = box.top - height - 10;
    tip.style.transform = `translate(${left}px, ${above > 4 ? above : box.bottom + 10}px)`;
  };
  const hide = () => { tip.hidden = true; };

  // Without this script a mark's title is its native tooltip; with it, the title moves to aria-label and is shown at once.
  for (const plot of document.querySelectorAll("svg.plot")) {
    const marks = [...plot.querySelectorAll(".mark")];
    for (const mark of marks) {
      const title = mark.querySelector("title");
      mark.setAttribute("aria-label", title.textContent);
      mark.setAttribute("tabindex", "-1");
      title.remove();
      mark.addEventListener("pointerenter", () => show(mark));
      mark.addEventListener("pointerleave", hide);
      mark.addEventListener("focus", () => show(mark));
      mark.addEventListener("blur", hide);
    }
    plot.addEventListener("keydown", (event) => {
      const moves = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
      const at = marks.indexOf(document.activeElement);
      let next = null;
      if (event.key in moves) next = at < 0 ? 0 : (at + moves[event.key] + marks.length) % marks.length;
      else if (event.key === "Home") next = 0;
      else if (event.key === "End") next = marks.length - 1;
      else if (event.key === "Escape") { plot.focus(); hide(); return; }
      if (next === null || !marks.length) return;
      event.preventDefault();
      marks[next].focus();
    });
  }
  addEventListener("scroll", hide, { passive: true });

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  }

  const data = document.getElementById("result");
  const save = document.getElementById("save");
  if (data && save) {
    save.hidden = false;
    save.addEventListener("click", () => {
      const text = JSON.stringify(JSON.parse(data.textContent), null, 2);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
      link.download = "result.json";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }

  // On paper nothing can be opened, so everything is.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });
})();
