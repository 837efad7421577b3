"""Reports of runs, diagnosis of data and iterations, differences between runs, the doctor."""
