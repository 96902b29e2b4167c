// The one-time link opens by a form, so that a preview of the link does not use it up; a browser sends it at once.
document.getElementById("start").requestSubmit();
