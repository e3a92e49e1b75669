(() => {
  const at = (id) => document.getElementById(id);
  const root = at("arena"), size = Number(root.dataset.size);
  const letters = size === 2 ? ["A", "B"] : Array.from({ length: size }, (_, i) => String(i + 1));
  const UNSENT = "whetstone-arena-unsent";
  let match = null, busy = false, done = false, tie = false;

  const make = (tag, cls, text) => {
    const element = document.createElement(tag);
    if (cls) element.className = cls;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // Text of a model is only ever textContent, so that nothing in it is markup.
  const shown = (part, what) => {
    if (part.type === "text") {
      const text = make("p", "text", part.text || "(empty)");
      text.dir = "auto";
      return text;
    }
    if (!part.url) return make("p", "note", part.note);
    const media = make(part.type === "image" ? "img" : "audio");
    media.src = part.url;
    if (part.type === "image") media.alt = `Image of ${what}`;
    else { media.controls = true; media.preload = "metadata"; media.setAttribute("aria-label", `Sound of ${what}`); }
    media.addEventListener("error", () => media.replaceWith(make("p", "note", `This ${part.type} cannot be shown.`)));
    return media;
  };
  const fill = (box, parts, what) => box.replaceChildren(...(parts.length ? parts : [{ type: "text", text: "" }]).map((part) => shown(part, what)));
  const say = (...lines) => at("said").replaceChildren(...lines.map((line) => make("p", "", line)));
  const trouble = (text) => { at("trouble").hidden = !text; at("trouble").firstElementChild.textContent = text || ""; };
  const count = (tally) => {
    at("count").textContent = `${tally.votes.toLocaleString("en")} ${tally.votes === 1 ? "vote" : "votes"}, ${tally.yours.toLocaleString("en")} by you (${tally.voter})`;
    at("settled").hidden = !tally.settled;
  };

  const ask = async (path, body) => {
    const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
    const reply = await fetch(path, options);
    if (reply.status >= 500) throw new Error((await reply.json().catch(() => ({}))).error || `status ${reply.status}`);
    return [reply.ok, await reply.json()];
  };

  const open = async () => {
    let reply;
    at("outputs").setAttribute("aria-busy", "true");
    try { [, reply] = await ask("/api/match"); } catch (error) {
      trouble(`The arena does not answer (${error.message}). Trying again.`);
      setTimeout(open, 3000);
      return;
    }
    trouble("");
    match = reply; done = busy = tie = false;
    fill(at("asked"), match.prompt, "the prompt");
    at("outputs").replaceChildren(...match.outputs.map((parts, i) => {
      const card = make("article", "output"), head = make("h2"), body = make("div", "body");
      card.setAttribute("aria-label", `Answer ${letters[i]}`);
      head.append(make("b", "", letters[i]));
      body.tabIndex = 0;
      fill(body, parts, `answer ${letters[i]}`);
      card.append(head, body);
      return card;
    }));
    at("outputs").removeAttribute("aria-busy");
    count(match);
    say();
    for (const button of document.querySelectorAll("#choices button")) button.disabled = false;
    at("next").hidden = true;
    if (size > 2) { for (const chip of chips) at("pool").append(chip); ranked(); }
  };

  // A vote is kept in the browser until the arena has confirmed it, so that neither a crash nor a reload loses it.
  const send = async (vote) => {
    let ok, reply;
    try { [ok, reply] = await ask("/api/vote", vote); } catch (error) {
      trouble(`Not saved yet (${error.message}). Your answer is kept here and sent again.`);
      setTimeout(() => send(vote), 3000);
      return;
    }
    localStorage.removeItem(UNSENT);
    trouble("");
    if (!match || vote.match !== match.match) {
      await open();
      if (!ok) trouble(`An earlier answer was not taken: ${reply.error}.`);
      return;
    }
    done = true;
    at("next").hidden = false;
    at("next").focus({ preventScroll: true });
    if (!ok) { say(reply.error); return; }
    count(reply);
    [...at("outputs").children].forEach((card, i) => card.querySelector("h2").append(` ${reply.names[i]}`));
    say(told(vote));
  };

  const told = (vote) => {
    if (vote.choice === "skip") return "Skipped.";
    if (vote.choice === "first" || vote.choice === "second") {
      const won = vote.choice === "first" ? 0 : 1;
      at("outputs").children[won].classList.add("won");
      return `Saved: ${letters[won]} is better.`;
    }
    if (!vote.ranking) return vote.choice === "tie" ? "Saved: a tie." : "Saved: all bad.";
    for (const place of vote.ranking[0]) at("outputs").children[place - 1].classList.add("won");
    return `Saved: ${vote.ranking.map((level) => level.join(" = ")).join(" > ")}.`;
  };

  const answer = (said) => {
    if (!match || busy || done) return;
    busy = true;
    for (const button of document.querySelectorAll("#choices button")) button.disabled = true;
    const vote = { match: match.match, ...said };
    localStorage.setItem(UNSENT, JSON.stringify(vote));
    say("Saving ...");
    send(vote);
  };
  for (const button of document.querySelectorAll("#choices [data-choice]")) {
    button.addEventListener("click", () => answer({ choice: button.dataset.choice }));
  }
  at("next").addEventListener("click", () => {
    if (at("next").hidden) return;
    at("next").hidden = true;
    open();
    scrollTo(0, 0);
  });

  // Rankings of more than two: chips are dragged to places, clicked, or called by their number.
  const chips = size > 2 ? letters.map((letter) => make("button", "chip", letter)) : [];
  const places = size > 2 ? [...at("places").querySelectorAll("li:not(.pool)")] : [];
  const levels = () => places.map((place) => [...place.querySelectorAll(".chip")].map((chip) => Number(chip.textContent))).filter((level) => level.length);
  const ranked = () => {
    const written = levels().map((level) => level.join(" = ")).join(" > ");
    at("save").disabled = done || busy || at("pool").querySelector(".chip") !== null;
    say(written ? `${written}${tie ? " = ..." : ""}` : "Best first: press the numbers, or drag them to their places.");
  };
  const put = (chip, place) => { if (!busy && !done) { place.append(chip); tie = false; ranked(); } };
  const call = (chip) => {
    if (chip.parentElement !== at("pool")) { put(chip, at("pool")); return; }
    const used = places.reduce((last, place, i) => (place.querySelector(".chip") ? i : last), -1);
    put(chip, places[tie && used >= 0 ? used : Math.min(used + 1, size - 1)]);
  };
  for (const chip of chips) {
    let from = null, moved = false;
    const over = (event) => document.elementsFromPoint(event.clientX, event.clientY).find((e) => e.matches("#places li"));
    chip.addEventListener("pointerdown", (event) => { from = event; moved = false; chip.setPointerCapture(event.pointerId); });
    chip.addEventListener("pointermove", (event) => {
      if (!from) return;
      const x = event.clientX - from.clientX, y = event.clientY - from.clientY;
      if (!moved && Math.hypot(x, y) < 6) return;
      moved = true;
      chip.classList.add("held");
      chip.style.transform = `translate(${x}px, ${y}px)`;
      for (const place of document.querySelectorAll("#places li")) place.classList.toggle("over", place === over(event));
    });
    const release = (event) => {
      if (from && moved && event.type === "pointerup") { const place = over(event); if (place) put(chip, place); }
      from = null;
      chip.classList.remove("held");
      chip.style.transform = "";
      for (const place of document.querySelectorAll("#places li")) place.classList.remove("over");
    };
    chip.addEventListener("pointerup", release);
    chip.addEventListener("pointercancel", release);
    chip.addEventListener("click", () => { if (moved) moved = false; else call(chip); });
    chip.setAttribute("aria-label", `Answer ${chip.textContent}`);
  }
  const save = () => { if (!at("save").disabled) answer({ ranking: levels() }); };
  if (size > 2) at("save").addEventListener("click", save);

  const keys = { 1: "first", ArrowLeft: "first", 2: "second", ArrowRight: "second", t: "tie", 0: "tie", b: "both_bad" };
  addEventListener("keydown", (event) => {
    const on = event.target.closest("button, a, audio, input");
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.target.matches("audio, input")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (done && !on && (key === "Enter" || key === " " || key === "n")) at("next").click();
    else if (done && key === "n") at("next").click();
    else if (!match || busy || done) return;
    else if (key === "s") answer({ choice: "skip" });
    else if (size === 2 && keys[key]) answer({ choice: keys[key] });
    else if (size > 2 && key === "b") answer({ choice: "all_bad" });
    else if (size > 2 && chips[Number(key) - 1]) call(chips[Number(key) - 1]);
    else if (size > 2 && key === "=") { tie = !tie; ranked(); }
    else if (size > 2 && key === "Backspace") {
      const last = places.findLast((place) => place.querySelector(".chip"));
      if (last) put(last.lastElementChild, at("pool"));
    } else if (size > 2 && key === "Enter" && !on) save();
    else return;
    event.preventDefault();
  });

  const unsent = localStorage.getItem(UNSENT);
  if (unsent) send(JSON.parse(unsent)); else open();
})();
