/** Dialogs of every page. They need script; each has a page that does without. */
import { Icon } from "./icon.tsx";

/** Opened by script on any page; without script the box beside the navigation leads to the page. */
export function SearchDialog() {
  return (
    <dialog id="search-dialog" class="dialog" aria-label="Search" data-dialog>
      <form method="get" action="/search" role="search" class="dialog-search" aria-label="Dialog">
        <Icon name="search" />
        <label for="search-input" class="sr">
          Search everything
        </label>
        <input
          id="search-input"
          name="q"
          type="text"
          enterkeyhint="search"
          role="combobox"
          aria-expanded="true"
          aria-controls="search-results"
          aria-autocomplete="list"
          placeholder="Search everything"
          autocomplete="off"
          data-opened
          hx-get="/search"
          hx-trigger="opened, input changed delay:120ms"
          hx-target="#search-results"
          hx-swap="innerMorph"
          hx-sync="this:replace"
          {...{ "hx-status:4xx": "swap:none", "hx-status:5xx": "swap:none" }}
        />
        <button type="button" class="icon-btn small" data-close>
          <Icon name="close" size={14} />
          <span class="sr">Close</span>
        </button>
      </form>
      <div id="search-results" class="dialog-results" role="listbox" aria-label="Results"></div>
    </dialog>
  );
}

/** Opened by `?`; filled when it is. */
export function HelpDialog() {
  return (
    <dialog id="help-dialog" class="dialog narrow" aria-labelledby="help-dialog-h" data-dialog>
      <header class="panel-head">
        <h2 id="help-dialog-h">Keyboard shortcuts</h2>
        <span class="spacer"></span>
        <button type="button" class="icon-btn small" data-close>
          <Icon name="close" size={14} />
          <span class="sr">Close</span>
        </button>
      </header>
      <div
        class="dialog-body"
        tabindex={0}
        role="region"
        aria-labelledby="help-dialog-h"
        data-opened
        hx-get="/help"
        hx-trigger="opened"
        hx-swap="innerMorph"
        {...{ "hx-status:4xx": "swap:none", "hx-status:5xx": "swap:none" }}
      ></div>
      <p class="dialog-foot">
        <a class="plain-link" href="/help">
          All help, and how to turn them off
        </a>
      </p>
    </dialog>
  );
}
