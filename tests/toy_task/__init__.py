"""A task of ten lines, to see what one must write to add a task: is a text longer than the usual one?"""
