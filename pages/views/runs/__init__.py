"""The views of the Runs page: jobs, one job, any runs side by side, zips in and out."""
