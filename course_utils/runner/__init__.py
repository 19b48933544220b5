"""The batch runner: plans jobs, runs each in a worker process, reports what came out.

`cli` reads the command line, `plan` turns it into jobs and refuses what cannot work, `orchestrate`
runs them (`process` holds one worker process, `worker` is what runs inside it), `results` keeps
what came of each job, `display` shows it on the terminal, `report` and `render` write the pages.

This module and `cli` import the standard library alone, so that `--help` works before set-up.
"""
