# SPDX-License-Identifier: Apache-2.0
"""
Each route of the REST API, each parameter and each member of a body that it reads is asked for by the calls that
tests/interop/rest sends to a Connect worker and to sluice alike. routes_have_tests.py SOURCE_ROOT
"""
import pathlib
import re
import sys
import types

ROOT = pathlib.Path(sys.argv[1])
SOURCES = ROOT / "src/api/connect"
sys.path.insert(0, str(ROOT / "tests/interop/rest"))
sys.dont_write_bytecode = True

import calls  # noqa: E402

# What Connect cannot be asked for: its test by name. Two workers say "forward" to each other; the routes are ours.
ELSEWHERE = {"forward": "tests/interop/rest/test_forwarding.py"}
LETTERS = "/connectors/{connector}/dead-letters"
OUR_ROUTES = {"GET /admin/breakers": "tests/scenario/test_breakers.py",
              **{route: "tests/scenario/test_dead_letters.py" for route in (f"GET {LETTERS}", f"POST {LETTERS}/replay",
                                                                            f"POST {LETTERS}/drop")}}


def routes():
    found = re.findall(r'\{?"(GET|PUT|POST|PATCH|DELETE)", "(/[^"]*)"', (SOURCES / "api.c").read_text())
    return {(method, path): re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "/?") for method, path in found}


def words():
    """Parameters and members of bodies by name."""
    text = "".join(path.read_text() for path in SOURCES.glob("*.c"))
    parameters = set(re.findall(r'sl_http_query(?:_bool)?\(request, "(\w+)"', text))
    parameters |= {"expand"} if 'strcmp(name, "expand")' in text else set()
    return parameters, set(re.findall(r'json_object_get\(body, "(\w+)"', text))


def main():
    side = types.SimpleNamespace(config={"connector.class": "c"}, plugin="p")
    asked = [(method, path, how) for _, method, path, how in calls.steps(side) if method]
    missing = []
    for (method, path), pattern in routes().items():
        good = [how for how in asked if how[0] == method and pattern.fullmatch(how[1].split("?")[0])]
        ours = OUR_ROUTES.get(f"{method} {path}")
        if not good and (not ours or path not in (ROOT / ours).read_text()):
            missing.append(f"{method} {path}")
    parameters, members = words()
    missing += [f"?{name}" for name in parameters
                if not any(re.search(rf"[?&]{name}=", path) for _, path, _ in asked) and name not in ELSEWHERE]
    missing += [f'"{name}" in a body' for name in members
                if not any(name in (how.get("body") or {}) or f'"{name}"' in how.get("text", "") for *_, how in asked)]
    missing += [f"?{name}: {path} does not name it" for name, path in ELSEWHERE.items() if name not in (ROOT / path).read_text()]
    assert len(routes()) > 25 and len(parameters) > 4 and len(members) > 2, "the sources are not understood any more"
    print(f"{len(routes())} routes, parameters {sorted(parameters)}, members {sorted(members)}")
    for each in missing:
        print(f"no call asks for {each}")
    return 1 if missing else 0


sys.exit(main())
