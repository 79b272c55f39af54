import type { Child, PropsWithChildren } from "hono/jsx";
import { raw } from "hono/html";
import type { Shell, Theme } from "./shell.ts";
import { Banners } from "./part/banner.tsx";
import { HelpDialog, SearchDialog } from "./part/dialog.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon, type IconName } from "./part/icon.tsx";
import { PAGE_KEYS } from "./shortcuts.ts";

/** htmx reads this once, before it starts. */
const HTMX_CONFIG = JSON.stringify({
  defaultTimeout: 15_000,
  extensions: "sse",
  // What script changed in the page and a morph must leave alone.
  morphIgnore: ["data-htmx-powered", "open", "data-theme", "data-live", "data-paused"],
});

/** A message with this event name ends the stream for good: nothing will change any more. */
export const STREAM_END = "end";

/** Every page that has a place of its own. */
export const NAVIGATION: readonly {
  readonly group: string;
  readonly items: readonly {
    readonly href: string;
    readonly icon: IconName;
    readonly label: string;
  }[];
}[] = [
  {
    group: "Monitor",
    items: [
      { href: "/", icon: "status", label: "Status" },
      { href: "/workflows", icon: "workflows", label: "Workflows" },
      { href: "/runs", icon: "runs", label: "Runs" },
      { href: "/schedules", icon: "schedules", label: "Schedules" },
      { href: "/agents", icon: "agents", label: "Agents" },
    ],
  },
  { group: "Create", items: [{ href: "/chat", icon: "chat", label: "Chat" }] },
  { group: "Analyze", items: [{ href: "/metrics", icon: "metrics", label: "Metrics" }] },
  {
    group: "System",
    items: [
      { href: "/memory", icon: "memory", label: "Memory" },
      { href: "/settings", icon: "settings", label: "Settings" },
      { href: "/logs", icon: "logs", label: "Logs" },
    ],
  },
];

/**
 * The whole document around a page: navigation, banners, live connection.
 *
 * @param props.stream The SSE address of the page.
 * @param props.poll What to fetch while the stream is lost; the answer is made of live parts. Pages
 *   without it just wait for the stream.
 */
export function Layout(
  props: PropsWithChildren<{
    shell: Shell;
    stream?: string;
    poll?: string;
    refreshSeconds?: number;
  }>,
) {
  const { shell } = props;
  return (
    <Document shell={shell} refreshSeconds={props.refreshSeconds}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="topbar only-narrow">
        <button type="button" class="icon-btn" popovertarget="sidebar">
          <Icon name="menu" />
          <span class="sr">Menu</span>
        </button>
        <Brand />
        <span class="live-dot" aria-hidden="true"></span>
      </header>
      <div class="app">
        <Sidebar shell={shell} />
        <main id="main" tabindex={-1}>
          <Banners health={shell.health} demo={shell.demo} />
          {props.children}
        </main>
      </div>
      <SearchDialog />
      <HelpDialog />
      <div id="announce" class="sr" role="status" aria-live="polite"></div>
      <div
        id="stream"
        hx-sse:connect={props.stream ?? "/status/stream"}
        hx-sse:close={STREAM_END}
        hx-trigger="load, sse:rearm"
        hx-swap="none"
        hidden
      ></div>
      {props.poll === undefined ? null : <Poll path={props.poll} shell={shell} />}
      <a id="again" href={shell.path} hx-replace-url="true" hidden tabindex={-1}></a>
    </Document>
  );
}

/** The document of a page that stands alone, such as the login. */
export function Document(
  props: PropsWithChildren<{ shell: Shell; refreshSeconds?: number | undefined }>,
) {
  const { shell } = props;
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en" data-theme={shell.theme} data-keys={shell.shortcuts ? undefined : "off"}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{shell.title} · agents</title>
          <meta name="htmx-config" content={HTMX_CONFIG} />
          <link
            rel="preload"
            href={shell.asset("inter.woff2")}
            as="font"
            type="font/woff2"
            crossorigin=""
          />
          <link rel="stylesheet" href={shell.asset("app.css")} />
          <link rel="icon" href={shell.asset("icon.svg")} type="image/svg+xml" />
          <script src={shell.asset("client.js")} defer></script>
          {props.refreshSeconds === undefined ? null : (
            <noscript>
              <meta http-equiv="refresh" content={String(props.refreshSeconds)} />
            </noscript>
          )}
        </head>
        <body
          hx-headers:inherited={JSON.stringify({ "X-CSRF-Token": shell.csrf })}
          hx-boost:inherited="swap:'outerMorph transition:true'"
        >
          {props.children}
        </body>
      </html>
    </>
  );
}

/** `client.js` pulls this trigger while the stream is lost. A failed poll must change nothing. */
function Poll(props: { path: string; shell: Shell }) {
  return (
    <div
      id="poll"
      hx-get={props.path}
      hx-trigger="poll"
      data-poll-ms={props.shell.pollMs}
      hx-swap="none"
      {...{ "hx-status:4xx": "swap:none", "hx-status:5xx": "swap:none" }}
      hidden
    ></div>
  );
}

export function Brand() {
  return (
    <a href="/" class="brand-link">
      <svg
        class="mark"
        width="24"
        height="24"
        viewBox="0 0 24 24"
        aria-hidden="true"
        focusable="false"
      >
        <rect class="mark-bg" width="24" height="24" rx="7" />
        <path class="mark-fg" d="M7 16.5L12 6.5l5 10M9 13.25h6" />
        <circle class="mark-dot" cx="12" cy="6.5" r="1.9" />
      </svg>
      <span>agents</span>
    </a>
  );
}

function Sidebar(props: { shell: Shell }) {
  const { shell } = props;
  return (
    <nav id="sidebar" class="sidebar" popover="auto" aria-label="Main">
      <div class="brand">
        <Brand />
        <button
          type="button"
          class="icon-btn only-narrow"
          popovertarget="sidebar"
          popovertargetaction="hide"
        >
          <Icon name="close" />
          <span class="sr">Close menu</span>
        </button>
      </div>
      <form method="get" action="/search" class="search" role="search" aria-label="Everything">
        <Icon name="search" size={14} />
        <label for="q" class="sr">
          Search
        </label>
        <input id="q" name="q" type="search" placeholder="Search" autocomplete="off" />
        <kbd aria-hidden="true">/</kbd>
      </form>
      {NAVIGATION.map((group) => (
        <div class="nav-group">
          <h2 id={`nav-${group.group.toLowerCase()}`}>{group.group}</h2>
          <ul aria-labelledby={`nav-${group.group.toLowerCase()}`}>
            {group.items.map((item) => (
              <li>
                <a
                  href={item.href}
                  aria-current={current(item.href, shell.path)}
                  data-key={PAGE_KEYS[item.href]}
                >
                  <Icon name={item.icon} />
                  <span>{item.label}</span>
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
      <SideFoot shell={shell} />
    </nav>
  );
}

/** `page` on the page itself, `true` on the pages below it. */
function current(href: string, path: string): "page" | "true" | undefined {
  const [pathname] = path.split("?");
  if (pathname === href) return "page";
  return href !== "/" && pathname?.startsWith(`${href}/`) === true ? "true" : undefined;
}

function SideFoot(props: { shell: Shell }) {
  const { shell } = props;
  return (
    <div class="side-foot">
      {shell.needsLogin ? (
        <PostForm action="/logout" csrf={shell.csrf} class="logout">
          <button type="submit" class="btn ghost">
            <Icon name="logout" size={14} />
            Log out
          </button>
        </PostForm>
      ) : null}
      <a class="help-link" href="/help" aria-current={current("/help", shell.path)}>
        <Icon name="help" size={14} />
        <span>Help</span>
        <kbd class="js-only" aria-hidden="true">
          ?
        </kbd>
      </a>
      <div class="side-row">
        <p class="conn js-only" id="conn">
          <span class="live-dot" aria-hidden="true"></span>
          <span class="conn-on">Connected</span>
          <span class="conn-off">Reconnecting…</span>
          <span class="conn-paused">Paused</span>
        </p>
        <noscript>
          <p class="conn">agents {shell.version}</p>
        </noscript>
        <a class="side-link" href="/api" aria-current={current("/api", shell.path)}>
          API
        </a>
        <ThemeForm shell={shell} />
      </div>
    </div>
  );
}

const THEMES: readonly { readonly theme: Theme; readonly face: Child }[] = [
  { theme: "light", face: <Icon name="sun" size={14} /> },
  { theme: "auto", face: <span aria-hidden="true">A</span> },
  { theme: "dark", face: <Icon name="moon" size={14} /> },
];

function ThemeForm(props: { shell: Shell }) {
  const { shell } = props;
  return (
    <form method="post" action="/theme" class="theme" data-theme-form hx-boost="false">
      <input type="hidden" name="_csrf" value={shell.csrf} />
      <input type="hidden" name="back" value={shell.path} />
      <fieldset>
        <legend class="sr">Theme</legend>
        {THEMES.map(({ theme, face }) => (
          <button
            type="submit"
            name="theme"
            value={theme}
            aria-pressed={shell.theme === theme ? "true" : "false"}
            title={`${theme} theme`}
          >
            {face}
            <span class="sr">{theme} theme</span>
          </button>
        ))}
      </fieldset>
    </form>
  );
}
