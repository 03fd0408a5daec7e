# embedded in the agent; runs in the interpreter under test
