"""Runs MLflow's own ASGI application in one process that is tied to its parent's life.

The parent keeps the write end of our stdin open and never writes. End of file, because the parent closed
it, exited, crashed or was killed, means: stop. Messages are JSON lines on stdout: "ready" with the url when
the server answers, "error" with a code when it cannot start. Exit codes: 98 the port is taken, 78 this
MLflow is not one that the launcher knows.
"""

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
import warnings

PORT_TAKEN_EXIT = 98
UNKNOWN_MLFLOW_EXIT = 78
GRACE_SECONDS = 3


def say(**message):
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except OSError:
        pass  # Nobody listens any more; the end of stdin stops us.


def fail(exit_code, code, reason):
    say(event="error", code=code, reason=reason)
    sys.exit(exit_code)


def bind(host, port):
    """Binds before the slow imports, so that a taken port is known at once; port 0 asks the system."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if os.name == "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        fail(PORT_TAKEN_EXIT, "EADDRINUSE", str(error))
    return listener


class Watch:
    """Stops the server, or the process while there is none yet, at the end of stdin."""

    def __init__(self):
        self.server = None
        threading.Thread(target=self.run, daemon=True, name="parent-watch").start()

    def run(self):
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        if self.server is None:
            os._exit(0)
        self.server.should_exit = True
        time.sleep(GRACE_SECONDS + 2)
        os._exit(0)


def prepare(data):
    """Sets what MLflow reads when it is imported.

    `mlflow server` sets the same names for its workers. They are private, so they are compared with those
    of the installed version after the import.
    """
    os.makedirs(data, exist_ok=True)
    os.chdir(data)
    database = "sqlite:///" + os.path.join(data, "mlflow.db").replace("\\", "/")
    names = {
        "_MLFLOW_SERVER_FILE_STORE": database,
        "_MLFLOW_SERVER_REGISTRY_STORE": database,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": os.path.join(data, "artifacts"),
    }
    os.environ.update(names)
    return database, tuple(names)


def load(data):
    """Imports MLflow, migrates its database and returns the application and the version."""
    database, names = prepare(data)
    warnings.simplefilter("ignore")
    from mlflow.server import constants, handlers
    from mlflow.version import VERSION

    known = (
        constants.BACKEND_STORE_URI_ENV_VAR,
        constants.REGISTRY_STORE_URI_ENV_VAR,
        constants.ARTIFACT_ROOT_ENV_VAR,
        constants.SERVE_ARTIFACTS_ENV_VAR,
        constants.ARTIFACTS_DESTINATION_ENV_VAR,
    )
    if known != names:
        fail(UNKNOWN_MLFLOW_EXIT, "UNKNOWN_MLFLOW", VERSION)
    handlers.initialize_backend_stores(database, database, "mlflow-artifacts:/")
    from mlflow.server.fastapi_app import app

    return app, VERSION


def serve(listener, watch, options):
    import uvicorn

    app, version = load(os.path.abspath(options.data))
    host, port = listener.getsockname()[:2]
    shown_host = "[" + host + "]" if ":" in host else host

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets=sockets)
            if self.started:
                say(event="ready", url="http://%s:%d" % (shown_host, port), version=version, pid=os.getpid())

    watch.server = Server(
        uvicorn.Config(
            app,
            workers=1,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=30,
            proxy_headers=True,
            forwarded_allow_ips="127.0.0.1",
        )
    )
    listener.listen(2048)
    watch.server.run(sockets=[listener])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", required=True)
    options = parser.parse_args()
    # The supervisor decides about Ctrl-C; until the server has its own handlers, SIGTERM simply ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch = Watch()
    serve(bind(options.host, options.port), watch, options)
    os._exit(0)  # The exit hooks of the imported libraries would take seconds.


main()
