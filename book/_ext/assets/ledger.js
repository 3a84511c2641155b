// Filters of the ledger by verdict and by chapter. Without this script every claim is shown.
"use strict";

(() => {
  function start() {
    const place = document.querySelector(".ledger-filters");
    const rows = [...document.querySelectorAll("table.ledger tbody tr")].map((row) => {
      const mark = row.querySelector(".claim");
      return { row, id: mark.id, verdict: mark.dataset.verdict, chapter: mark.dataset.chapter };
    });
    if (!place || !rows.length) return;
    const chosen = { verdict: "", chapter: "" };
    const said = document.createElement("p");
    said.className = "filter-count";
    said.setAttribute("role", "status");
    const groups = [verdicts(place, rows, chosen, show), chapters(rows, chosen, show)];

    function show() {
      let count = 0;
      for (const { row, verdict, chapter } of rows) {
        const wanted = (!chosen.verdict || chosen.verdict === verdict) && (!chosen.chapter || chosen.chapter === chapter);
        row.hidden = !wanted;
        count += wanted;
      }
      for (const table of document.querySelectorAll("table.ledger")) {
        const section = table.closest("section");
        const shown = (part) => [...part.querySelectorAll("tbody tr")].some((row) => !row.hidden);
        section.hidden = !shown(section);
        const folded = table.closest("details");
        if (folded) {
          folded.hidden = !shown(folded);
          folded.open = Boolean(chosen.verdict) && !folded.hidden;
        }
      }
      for (const button of place.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(chosen.verdict === button.value));
      }
      place.querySelector("select").value = chosen.chapter;
      said.textContent = count === rows.length ? `All ${count} claims are shown.` : `${count} of ${rows.length} claims are shown.`;
    }

    // A link to a claim shows it, whatever was chosen before.
    function follow() {
      const target = rows.find(({ id }) => id && `#${id}` === location.hash);
      if (!target) return;
      if (target.row.hidden) {
        chosen.verdict = chosen.chapter = "";
        show();
      }
      const folded = target.row.closest("details");
      if (folded) folded.open = true;
      target.row.scrollIntoView({ block: "center" });
    }

    place.append(...groups, said);
    show();
    follow();
    addEventListener("hashchange", follow);
  }

  const count = (rows, kind, value) => (value ? rows.filter((row) => row[kind] === value).length : rows.length);

  // One button for each verdict, "all" first; the pressed one is the choice.
  function verdicts(place, rows, chosen, show) {
    const box = labelled("Verdict");
    for (const value of ["", ...place.dataset.verdicts.split("|")]) {
      if (value && !count(rows, "verdict", value)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.value = value;
      button.textContent = `${value.replace(" at this profile", "") || "all"} ${count(rows, "verdict", value)}`;
      button.addEventListener("click", () => {
        chosen.verdict = value;
        show();
      });
      box.append(button);
    }
    return box;
  }

  function chapters(rows, chosen, show) {
    const box = labelled("Chapter");
    const select = document.createElement("select");
    select.setAttribute("aria-label", "Chapter");
    for (const value of ["", ...new Set(rows.map(({ chapter }) => chapter))]) {
      select.add(new Option(`${value || "all"} (${count(rows, "chapter", value)})`, value));
    }
    select.addEventListener("change", () => {
      chosen.chapter = select.value;
      show();
    });
    box.append(select);
    return box;
  }

  function labelled(text) {
    const box = document.createElement("div");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", text);
    const name = document.createElement("span");
    name.className = "filter-name";
    name.textContent = text;
    box.append(name);
    return box;
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
