#!/usr/bin/env python3
"""Takes the rules of the delivery out, one at a time, and shows that each is missed.

    scripts/mutations.py [--seeds 2000] [--check] [NAME ...]

In: rust-core/tests/delivery/mutations.toml, the last commit (and what is changed in tracked files).
Out: a table, mutation -> the seed or the test that catches it; exit code 1 when one is not caught
(or one that is said to survive is), does not build, or no longer finds the text it replaces. Never: a change in this clone; the work is
done in a worktree of its own, with a target folder of its own beside cargo's.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "rust-core/tests/delivery/mutations.toml"
# A mutation may make the core wait for ever.
TIME = 900


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--check", action="store_true", help="only that each text is found")
    parser.add_argument("names", nargs="*", help="parts of names; none = all")
    args = parser.parse_args()
    wanted = lambda m: not args.names or any(part in m["name"] for part in args.names)
    mutations = [m for m in tomllib.loads(LIST.read_text())["mutation"] if wanted(m)]
    missing = [problem for m in mutations for problem in unmatched(m)]
    if missing or not mutations:
        sys.exit("\n".join(missing) or "no such mutation")
    if args.check:
        return print(f"{len(mutations)} mutations find their texts")
    with tempfile.TemporaryDirectory(prefix="alluvium-mutations-") as folder:
        tree = pathlib.Path(folder) / "tree"
        stash = output("git", "stash", "create").strip() or "HEAD"
        run(ROOT, "git", "worktree", "add", "--quiet", "--detach", str(tree), stash)
        try:
            caught = all([show(tree, mutation, args.seeds) for mutation in mutations])
        finally:
            run(ROOT, "git", "worktree", "remove", "--force", str(tree))
    sys.exit(0 if caught else 1)


def unmatched(mutation):
    """Texts that are not, or not once, where the list says they are."""
    for edit in mutation["edit"]:
        count = (ROOT / edit["file"]).read_text().count(edit["old"])
        if count != 1:
            yield f"{mutation['name']}: {edit['file']} has {count} times: {edit['old']}"


def show(tree, mutation, seeds):
    began = time.monotonic()
    before = {edit["file"]: (tree / edit["file"]).read_text() for edit in mutation["edit"]}
    try:
        for edit in mutation["edit"]:
            file = tree / edit["file"]
            file.write_text(file.read_text().replace(edit["old"], edit["new"]))
        by, how = catch(tree, mutation, seeds)
    finally:
        for name, text in before.items():
            (tree / name).write_text(text)
    seconds = time.monotonic() - began
    survives = mutation.get("survives")
    if survives and not by:
        by, how = "nothing, as expected", survives
    elif survives:
        by, how = None, f"{by} catches what nothing can: {how}"
    print(f"| {mutation['name']} | {by or 'NOT CAUGHT'} | {how} | {seconds:.0f} s |", flush=True)
    return by is not None


def catch(tree, mutation, seeds):
    """Who catches it, and with which words."""
    lib = mutation.get("lib")
    kind = ["--lib"] if lib else ["--test", "delivery"]
    built = cargo(tree, "test", "--locked", "-p", "alluvium-core", *kind, "--no-run")
    program = re.search(r"Executable .*\((.*)\)", built.stderr)
    if built.returncode or not program:
        return None, "does not build: " + built.stderr.strip()[-2000:]
    program = (tree / program.group(1)).resolve()
    if lib:
        return failed_test(tree, program, [lib])
    env = {"ALLUVIUM_SEEDS": f"0..{seeds}", "ALLUVIUM_SEEDS_BROKEN": "1"}
    try:
        ran = test(tree, program, ["seeds::rows_are_visible_once", "--nocapture"], env)
    except subprocess.TimeoutExpired:
        return "seeds", f"they do not end within {TIME} s"
    broken = re.findall(r"^seed (\d+) BROKEN: (.*)$", ran.stdout, re.M)
    if broken:
        seed, words = min(broken, key=lambda pair: int(pair[0]))
        return f"seed {seed}", words[:110].replace("|", "/")
    by, how = failed_test(tree, program, ["--skip", "seeds::"])
    return (by, how) if by else (None, f"{seeds} seeds and every test of delivery pass")


def failed_test(tree, program, args):
    try:
        ran = test(tree, program, args, {})
    except subprocess.TimeoutExpired:
        return "tests", f"they do not end within {TIME} s"
    failed = re.findall(r"^test (\S+) \.\.\. FAILED$", ran.stdout, re.M)
    return (f"test {failed[0]}", f"and {len(failed) - 1} more") if failed else (None, "all pass")


def test(tree, program, args, env):
    return subprocess.run(
        [program, *args], cwd=tree / "rust-core", env=os.environ | env, timeout=TIME,
        capture_output=True, text=True, check=False,
    )


def cargo(tree, *args):
    # A second profile of the same dependencies: quick to build, slow to run.
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    env = os.environ | {"CARGO_TARGET_DIR": target, "CARGO_PROFILE_DEV_OPT_LEVEL": "0",
                        "CARGO_PROFILE_DEV_DEBUG": "0"}
    return subprocess.run(["cargo", *args], cwd=tree, env=env, capture_output=True, text=True,
                          check=False)


def output(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def run(folder, *command):
    subprocess.run(command, cwd=folder, check=True)


if __name__ == "__main__":
    main()
