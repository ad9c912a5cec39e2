/* The link to a first sign-in carries its code behind the #, which is sent to no server: here it goes into the field. */
const code = decodeURIComponent(location.hash.slice(1));
if (code) {
  document.getElementById("code").value = code;
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("password").focus();
}
