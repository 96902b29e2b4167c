// The theme somebody chose for this browser, before anything is painted.
(function () {
  try {
    var chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.setAttribute("data-theme", chosen);
  } catch (blocked) { /* storage may be closed: the system's theme holds */ }
})();
