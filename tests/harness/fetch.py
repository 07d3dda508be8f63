# SPDX-License-Identifier: Apache-2.0
"""What strangers' tests fetch from the registries: pinned, fetched once, kept in a cache."""
import shutil
import subprocess


def run(arguments, **more):
    """Run a program to its end; its output, or an assertion that shows the last of it."""
    more.setdefault("timeout", 600)
    done = subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **more)
    assert done.returncode == 0, f"{' '.join(str(a) for a in arguments)}:\n{done.stdout[-3000:]}"
    return done.stdout


def once(folder, stamp, make):
    """Run make(folder) unless the folder already holds this version of what it makes."""
    mark = folder / ".made"
    if not mark.exists() or mark.read_text() != stamp:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        mark.write_text(stamp)
    return folder


def jars(pom_folder, folder, cache):
    """Copy the jars of a pom.xml (and what lies beside it) into folder/libs; the class path."""
    shutil.copytree(pom_folder, folder, dirs_exist_ok=True)
    run(["mvn", "-B", "-q", "-U", "-ntp", f"-Dmaven.repo.local={cache}/m2",
         "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies",
         f"-DoutputDirectory={folder}/libs", "-DincludeScope=runtime"], cwd=folder)
    return f"{folder}/libs/*"
