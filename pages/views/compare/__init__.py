"""Views of the Compare page: the plan of a grid, and what a grid found."""
