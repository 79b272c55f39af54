/** Everything that has a name, found by words: a page, and a list in a dialog while one types. */
import type { NodeState } from "./part/badge.tsx";
import { StateIcon } from "./part/badge.tsx";
import { Layout } from "./layout.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { Icon, type IconName } from "./part/icon.tsx";
import { PageHead } from "./part/panel.tsx";
import type { Shell } from "./shell.ts";

export interface SearchHit {
  readonly href: string;
  readonly title: string;
  readonly note: string;
  readonly state?: NodeState;
}

export interface SearchGroup {
  readonly title: string;
  readonly icon: IconName;
  readonly hits: readonly SearchHit[];
  /** All of them, where the group has a page with a search of its own. */
  readonly more?: string | undefined;
}

export interface SearchProps {
  readonly query: string;
  /** Only those with hits. */
  readonly groups: readonly SearchGroup[];
}

export function SearchPage(props: SearchProps & { shell: Shell }) {
  const { shell, query, groups } = props;
  return (
    <Layout shell={shell}>
      <PageHead crumb="agents" title={query === "" ? "Search" : `Search: ${query}`} />
      <div class="column results">
        <form
          method="get"
          action="/search"
          class="filters"
          role="search"
          aria-label="These results"
        >
          <div class="search inline">
            <Icon name="search" size={14} />
            <label for="search-again" class="sr">
              Words
            </label>
            <input
              id="search-again"
              name="q"
              type="search"
              value={query}
              placeholder="Workflows, runs, agents, memory, chats, settings, pages"
              autocomplete="off"
            />
          </div>
          <button type="submit" class="btn primary">
            Search
          </button>
        </form>
        {groups.length === 0 ? (
          <section class="panel" aria-label="Results">
            <EmptyState
              icon="search"
              title="Nothing found"
              text="Try fewer or other words: names of workflows and agents, the end of a run's id, a word that is remembered, the name of a setting."
            />
          </section>
        ) : (
          groups.map((group) => <Group group={group} />)
        )}
      </div>
    </Layout>
  );
}

function Group(props: { group: SearchGroup }) {
  const { title, icon, hits, more } = props.group;
  const id = `results-${title.toLowerCase().replaceAll(/\W+/g, "-")}`;
  return (
    <section class="panel" aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        <span class="spacer"></span>
        {more === undefined ? null : (
          <a class="more" href={more}>
            All<span class="sr"> of {title}</span>
            <Icon name="chevron" size={12} />
          </a>
        )}
      </header>
      <ul class="result-list">
        {hits.map((hit) => (
          <li>
            <a href={hit.href} class="hit">
              <Hit hit={hit} icon={icon} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Hit(props: { hit: SearchHit; icon: IconName }) {
  const { hit, icon } = props;
  return (
    <>
      {hit.state === undefined ? <Icon name={icon} /> : <StateIcon state={hit.state} />}
      <span class="hit-title">{hit.title}</span>
      <span class="sub">{hit.note}</span>
    </>
  );
}

/** What the dialog shows: the same hits as options of its field. */
export function SearchOptions(props: SearchProps) {
  const { query, groups } = props;
  if (groups.length === 0) {
    return (
      <p class="quiet" role="status">
        Nothing found for “{query}”.
      </p>
    );
  }
  let number = 0;
  return (
    <>
      {groups.map((group, index) => (
        <div role="group" aria-labelledby={`options-${index}`}>
          <p class="options-head" role="presentation" id={`options-${index}`}>
            {group.title}
          </p>
          {group.hits.map((hit) => {
            number += 1;
            return (
              <a
                href={hit.href}
                class="hit"
                role="option"
                id={`option-${number}`}
                aria-selected={number === 1 && query !== "" ? "true" : "false"}
                tabindex={-1}
              >
                <Hit hit={hit} icon={group.icon} />
              </a>
            );
          })}
        </div>
      ))}
    </>
  );
}
