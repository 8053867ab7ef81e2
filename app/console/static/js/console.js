// What pages do in the browser beyond links, forms and htmx. Handlers are on the document, so that
// they also serve what htmx puts into the page later.
import "./keys.js";
import "./dialogs.js";
import "./byte_counter.js";
import "./copy.js";
import "./card_preview.js";
import "./live_list.js";
import "./menu_drag.js";
import "./requests.js";
