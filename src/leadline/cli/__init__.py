"""The command line: parse → workspace → render. Nothing heavy is imported until a command runs."""
