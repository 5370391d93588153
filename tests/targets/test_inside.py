"""The same unmodified programs with the models inside of them: devshim run --in-process."""

import pytest
from targets.tours import PROGRAMS

from devshim import embedding

pytestmark = pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython")

COMPILED = {
    "rustc": ("rust", ["rustc", "--edition", "2021", "-o", "{}/tour", PROGRAMS / "tour.rs"]),
    "g++": ("c++O0", ["g++", "-std=c++17", "-O0", "-o", "{}/tour", PROGRAMS / "tour.cc", "-pthread"]),
}


@pytest.mark.parametrize("compiler", COMPILED)
def test_a_compiled_program_has_the_models_inside(compiler, client, compiled, tour):
    client(compiler)

    tour(compiled(*COMPILED[compiler]) / "tour", options=["--in-process"])


@pytest.mark.client("javac")
def test_java_has_the_models_inside(compiled, tour):
    folder = compiled("java", ["javac", "-d", "{}", PROGRAMS / "Tour.java"])

    tour("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", folder, "Tour", options=["--in-process"])


@pytest.mark.parametrize(("interpreter", "script"), [("node", "tour.js"), ("perl", "tour.pl"), ("dash", "tour.sh")])
def test_an_interpreted_program_has_the_models_inside(interpreter, script, client, tour):
    tour(client(interpreter), PROGRAMS / script, options=["--in-process"])
