/** Directed graphs: who reaches whom, and where they turn back. */

/** Node → the nodes that its arrows lead to. */
export type Digraph = ReadonlyMap<string, readonly string[]>;

export interface Arrow {
  readonly from: string;
  readonly to: string;
}

export function digraphOf(arrows: Iterable<Arrow>): Digraph {
  const graph = new Map<string, string[]>();
  for (const { from, to } of arrows) {
    const targets = graph.get(from);
    if (targets === undefined) graph.set(from, [to]);
    else if (!targets.includes(to)) targets.push(to);
  }
  return graph;
}

export function arrowsOf(graph: Digraph): Arrow[] {
  return Array.from(graph, ([from, targets]) => targets.map((to) => ({ from, to }))).flat();
}

export function reversed(graph: Digraph): Digraph {
  return digraphOf(arrowsOf(graph).map(({ from, to }) => ({ from: to, to: from })));
}

/**
 * Nodes at the end of a path of at least one arrow from `origin`; `origin` itself when it is on a circle.
 * @param isOpen Arrows for which this is false are not followed.
 */
export function reachableFrom(
  origin: string,
  graph: Digraph,
  isOpen: (arrow: Arrow) => boolean = () => true,
): ReadonlySet<string> {
  const found = new Set<string>();
  const left = [origin];
  for (let from = left.pop(); from !== undefined; from = left.pop()) {
    for (const to of graph.get(from) ?? []) {
      if (found.has(to) || !isOpen({ from, to })) continue;
      found.add(to);
      left.push(to);
    }
  }
  return found;
}

/**
 * The node of the places before it that every way from `root` passes last (its parent in the dominator tree), for
 * each node that `root` reaches.
 */
export function dominatorsFrom(root: string, graph: Digraph): ReadonlyMap<string, string> {
  const order = orderFrom(root, graph);
  const ranks = new Map(order.map((id, rank) => [id, rank]));
  const rankOf = (id: string) => ranks.get(id) ?? 0;
  const backward = reversed(new Map(order.map((id) => [id, graph.get(id) ?? []])));
  const parents = new Map([[root, root]]);
  const meet = (left: string, right: string): string => {
    let [one, other] = [left, right];
    while (one !== other) {
      if (rankOf(one) > rankOf(other)) one = parents.get(one) ?? root;
      else other = parents.get(other) ?? root;
    }
    return one;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const id of order.slice(1)) {
      const known = (backward.get(id) ?? []).filter((from) => parents.has(from));
      const parent = known.reduce(meet);
      if (parents.get(id) === parent) continue;
      parents.set(id, parent);
      changed = true;
    }
  }
  parents.delete(root);
  return parents;
}

/**
 * Arrows that lead back: without them there is no circle. Where a circle is entered at one node only, they are the
 * arrows to that node. Where it is entered at several (which leaves a choice), rather arrows for which
 * `isWeak` holds.
 */
export function backArrows(
  root: string,
  graph: Digraph,
  isWeak: (arrow: Arrow) => boolean = () => false,
): readonly Arrow[] {
  const order = orderFrom(root, graph);
  const places = new Map(order.map((id, place) => [id, place]));
  const placeOf = (id: string) => places.get(id) ?? 0;
  const arrows = arrowsOf(new Map(order.map((id) => [id, graph.get(id) ?? []])));
  const parents = dominatorsFrom(root, graph);
  const isPassed = (id: string, later: string): boolean => {
    // Nothing that is passed on the way to a node comes after it in the order.
    for (let at: string | undefined = later; at !== undefined; at = parents.get(at)) {
      if (at === id) return true;
      if (placeOf(at) < placeOf(id)) return false;
    }
    return false;
  };
  const forward = arrows.filter(({ from, to }) => !isPassed(to, from));
  const ranks = rankForward(root, forward, isWeak);
  const rankOf = (id: string) => ranks.get(id) ?? 0;
  // Where a choice was left, an arrow may point backward in the order and still be on no circle.
  const isOnCircle = ({ from, to }: Arrow) => from === to || reachableFrom(to, graph).has(from);
  return arrows.filter((arrow) => rankOf(arrow.from) >= rankOf(arrow.to) && isOnCircle(arrow));
}

/** Each node after all that lead to it, or, on a circle, after as many as possible. */
function rankForward(
  root: string,
  forward: readonly Arrow[],
  isWeak: (arrow: Arrow) => boolean,
): ReadonlyMap<string, number> {
  const before = Map.groupBy(forward, ({ to }) => to);
  const after = Map.groupBy(forward, ({ from }) => from);
  const ranks = new Map<string, number>();
  const found = new Set([root]);
  const isOpen = (id: string, isFirm: boolean) =>
    (before.get(id) ?? []).every((arrow) => ranks.has(arrow.from) || (isFirm && isWeak(arrow)));
  while (found.size > 0) {
    const waiting = [...found];
    const [first = root] = waiting;
    const next =
      waiting.find((id) => isOpen(id, false)) ?? waiting.find((id) => isOpen(id, true)) ?? first;
    found.delete(next);
    ranks.set(next, ranks.size);
    for (const { to } of after.get(next) ?? []) if (!ranks.has(to)) found.add(to);
  }
  return ranks;
}

/**
 * The loops that the back arrows close, by the node where they begin: that node and all nodes that lie on a
 * way from it to the source of such an arrow, without passing it again.
 */
export function loopsOf(
  backs: readonly Arrow[],
  graph: Digraph,
): ReadonlyMap<string, ReadonlySet<string>> {
  const backward = reversed(graph);
  const loops = new Map<string, Set<string>>();
  for (const { from, to: header } of backs) {
    const loop = loops.get(header) ?? new Set([header]);
    loops.set(header, loop);
    // What leads to a node of the loop has been found with it.
    if (loop.has(from)) continue;
    const after = reachableFrom(header, graph);
    const before = reachableFrom(from, backward, (arrow) => arrow.to !== header);
    for (const id of [from, ...before]) if (after.has(id)) loop.add(id);
  }
  return loops;
}

/**
 * `root` and all that it reaches, each node after those that lead to it (arrows back aside); what an earlier
 * arrow leads to comes first.
 */
export function orderFrom(root: string, graph: Digraph): readonly string[] {
  const found: string[] = [];
  const seen = new Set([root]);
  const backward = (id: string) => (graph.get(id) ?? []).toReversed().values();
  const path = [{ id: root, targets: backward(root) }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.targets.next();
    if (next.done === true) {
      found.push(top.id);
      path.pop();
    } else if (!seen.has(next.value)) {
      seen.add(next.value);
      path.push({ id: next.value, targets: backward(next.value) });
    }
  }
  return found.toReversed();
}

/**
 * For each node that `root` reaches, the first node after `root` that every way to it passes; the node itself
 * when its ways have none in common. Two nodes for which it differs can be reached on ways that share
 * nothing but `root`.
 */
export function branchesFrom(root: string, graph: Digraph): ReadonlyMap<string, string> {
  const parents = dominatorsFrom(root, graph);
  const branches = new Map<string, string>();
  for (const id of orderFrom(root, graph).slice(1)) {
    const parent = parents.get(id) ?? root;
    branches.set(id, parent === root ? id : (branches.get(parent) ?? id));
  }
  return branches;
}
