"""Views of the Compare page: the plan of a grid, and the result of one."""
