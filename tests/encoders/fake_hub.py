"""A hub on this machine that serves one folder as a repository: enough for a real download."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "a" * 40


@contextmanager
def fake_hub(repository: str, folder: Path) -> Iterator[str]:
    """Serve `folder` as `repository`; gives the endpoint. `owner/gated` is there but closed."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            path = self.path.split("?")[0].strip("/")
            names = sorted(each.name for each in folder.iterdir())
            if "owner/gated" in path:
                self._send(403, b"{}", {"X-Error-Code": "GatedRepo"}, with_body)
            elif path.startswith(f"api/models/{repository}/tree/"):
                tree = [{"type": "file", "path": name, **_facts(folder / name)} for name in names]
                self._send(200, json.dumps(tree).encode(), {}, with_body)
            elif path.startswith(f"api/models/{repository}"):
                facts = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}
                self._send(200, json.dumps(facts).encode(), {}, with_body)
            elif path.startswith(f"{repository}/resolve/") and path.rsplit("/", 1)[1] in names:
                file = folder / path.rsplit("/", 1)[1]
                told = {"X-Repo-Commit": COMMIT, "ETag": f'"{_facts(file)["oid"]}"'}
                self._send(200, file.read_bytes(), told, with_body)
            else:
                self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, with_body)

        def _send(self, status: int, body: bytes, headers: dict[str, str], with_body: bool) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _facts(file: Path) -> dict[str, object]:
    content = file.read_bytes()
    return {"oid": hashlib.sha1(content, usedforsecurity=False).hexdigest(), "size": len(content)}
