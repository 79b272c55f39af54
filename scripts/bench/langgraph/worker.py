"""The graphs of the engine's benchmark on LangGraph with its SqliteSaver.

Usage: worker.py DATABASE SHAPE RUNS CONCURRENCY SYNCHRONOUS PREFIX

Says "ready", waits for a line, executes the runs and answers with one line of JSON. Checkpoints are
written as LangGraph does by default (durability "async": while the next step is already executed).
"""

import json
import operator
import resource
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

CHAIN_NODE_COUNT = 10
FORK_BRANCH_COUNT = 8
MAP_ITEM_COUNT = 100


class State(TypedDict, total=False):
    items: list
    count: Annotated[int, operator.add]


def step(state):
    return {"count": 1}


def chain():
    graph = StateGraph(State)
    names = [f"n{index}" for index in range(CHAIN_NODE_COUNT)]
    for name in names:
        graph.add_node(name, step)
    for source, target in zip([START, *names], [*names, END]):
        graph.add_edge(source, target)
    return graph, {"count": 0}, CHAIN_NODE_COUNT


def fork():
    graph = StateGraph(State)
    graph.add_node("first", step)
    graph.add_node("join", step)
    graph.add_edge(START, "first")
    branches = [f"b{index}" for index in range(FORK_BRANCH_COUNT)]
    for name in branches:
        graph.add_node(name, step)
        graph.add_edge("first", name)
    graph.add_edge(branches, "join")
    graph.add_edge("join", END)
    return graph, {"count": 0}, FORK_BRANCH_COUNT + 2


def map_items():
    graph = StateGraph(State)
    graph.add_node("item", step)
    graph.add_conditional_edges(START, lambda state: [Send("item", item) for item in state["items"]], ["item"])
    graph.add_edge("item", END)
    return graph, {"count": 0, "items": list(range(MAP_ITEM_COUNT))}, MAP_ITEM_COUNT


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    path, shape, runs, concurrency, synchronous, prefix = sys.argv[1:]
    connection = sqlite3.connect(path, check_same_thread=False, timeout=60)
    saver = SqliteSaver(connection)
    saver.setup()
    connection.execute(f"PRAGMA synchronous={synchronous}")
    builder, inputs, step_count = {"chain": chain, "fork": fork, "map": map_items}[shape]()
    graph = builder.compile(checkpointer=saver)

    def run(index):
        config = {"configurable": {"thread_id": f"{prefix}-{index}"}}
        result = graph.invoke(inputs, config)
        if result["count"] != step_count:
            raise SystemExit(f"{result['count']} of {step_count} steps")

    print("ready", flush=True)
    sys.stdin.readline()
    before = cpu_seconds()
    if int(concurrency) == 1:
        for index in range(int(runs)):
            run(index)
    else:
        with ThreadPoolExecutor(int(concurrency)) as pool:
            list(pool.map(run, range(int(runs))))
    mode = connection.execute("PRAGMA synchronous").fetchone()[0]
    print(json.dumps({"steps": int(runs) * step_count, "cpuSeconds": cpu_seconds() - before, "synchronous": mode}))


main()
