#!/usr/bin/env python3
"""Runs unittest files and prints TAP:  python3 tests/e2e/tap.py tests/e2e/test_rounds.py"""
import importlib.util
import pathlib
import sys
import unittest


class Tap(unittest.TestResult):
    def line(self, ok, test, note=""):
        print(f"{'ok' if ok else 'not ok'} - {test.id()}{note}", flush=True)

    def addSuccess(self, test):
        self.line(True, test)

    def addSkip(self, test, reason):
        self.line(True, test, f" # SKIP {reason}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.line(False, test)
        print("# " + self.failures[-1][1].replace("\n", "\n# "), flush=True)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self.line(False, subtest)
            failed = self.failures if issubclass(error[0], test.failureException) else self.errors
            print("# " + failed[-1][1].replace("\n", "\n# "), flush=True)

    def addError(self, test, error):
        super().addError(test, error)
        self.line(False, test)
        print("# " + self.errors[-1][1].replace("\n", "\n# "), flush=True)


path = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(path.parent))
spec = importlib.util.spec_from_file_location(path.stem, path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
result = Tap()
unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
sys.exit(0 if result.wasSuccessful() else 1)
