-- A workspace as the version of November 2026 wrote it, before the first release; never to be changed.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE annotation_events (
	event_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	created_at TEXT NOT NULL, 
	author TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	payload JSON NOT NULL, 
	token TEXT, 
	UNIQUE (token)
);
INSERT INTO "annotation_events" VALUES(1,'2026-11-28T15:10:36.727+00:00','ann','create','{"images": [1, 2], "refused": [], "name": "", "role": "training"}','screen-1');
INSERT INTO "annotation_events" VALUES(2,'2026-11-28T15:10:36.728+00:00','ben','rename','{"identity": 1, "name": "Ann''s \u03bb"}',NULL);
INSERT INTO "annotation_events" VALUES(3,'2026-11-28T15:10:36.729+00:00','ann','junk','{"images": [3]}',NULL);
CREATE TABLE controls (
	control_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	value FLOAT NOT NULL, 
	author TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	applied_at_iteration INTEGER, 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "controls" VALUES(1,1,'lambda_',0.7,'ann','2026-11-28T15:10:36.699+00:00',NULL);
CREATE TABLE images (
	image_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	path TEXT NOT NULL, 
	content_hash TEXT NOT NULL, 
	n_bytes BIGINT NOT NULL, 
	pid INTEGER, 
	camid INTEGER, 
	split TEXT NOT NULL, 
	tracklet TEXT, 
	frame BIGINT, 
	UNIQUE (path)
);
INSERT INTO "images" VALUES(1,'images/train/0000.png','c80e78247786c8bc3d2984c13f68393b',69,2,1,'train',NULL,NULL);
INSERT INTO "images" VALUES(2,'images/train/0001.png','5384f52b9e60056c457158e5a4e751da',77,2,2,'train',NULL,NULL);
INSERT INTO "images" VALUES(3,'images/train/0002.png','33c9876b3b46c2edaf05e88807a239af',75,5,1,'train',NULL,NULL);
INSERT INTO "images" VALUES(4,'images/query/0000.png','f90e12129e4bae96dabc5feccde07c66',77,6,3,'query',NULL,NULL);
CREATE TABLE iterations (
	run_id INTEGER NOT NULL, 
	iteration INTEGER NOT NULL, 
	record JSON NOT NULL, 
	PRIMARY KEY (run_id, iteration), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "iterations" VALUES(1,0,'{"iteration": 0, "lambda_": 0.85, "n_clusters": 3, "n_images": 3, "n_reliable": 2, "n_kept_clusters": 3, "inertia": 1.5, "n_annotated_images": 0, "n_identities": 0, "annotations_hash": "", "epoch_losses": [], "metrics": null, "cluster_quality": {"purity": 0.9, "reliable_purity": 0.95, "nmi": 0.8, "n_images": 3, "source": "truth"}, "seconds": {"extract": 0.5, "cluster": 0.125}, "peak_memory_bytes": 1099511627776, "seed": 7, "versions": {"torch": "2"}, "device": "cpu", "finished_at": "2026-01-01T00:00:00+00:00", "validation_metrics": null, "n_validation_identities": 0}');
CREATE TABLE jobs (
	job_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind TEXT NOT NULL, 
	run_id INTEGER, 
	params JSON NOT NULL, 
	status TEXT NOT NULL, 
	progress JSON, 
	command TEXT, 
	error TEXT NOT NULL, 
	traceback TEXT NOT NULL, 
	worker TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	heartbeat_at TEXT NOT NULL, 
	finished_at TEXT NOT NULL, 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "jobs" VALUES(1,'run',1,'{}','stopped','{"step": "finetune", "done": 3, "total": 9, "iteration": 0, "n_iterations": 0, "epoch": 0, "n_epochs": 0, "loss": null, "message": ""}',NULL,'','','host:1:2','2026-11-28T15:10:36.702+00:00','2026-11-28T15:10:36.704+00:00','2026-11-28T15:10:36.706+00:00','2026-11-28T15:10:36.709+00:00');
CREATE TABLE metrics (
	run_id INTEGER NOT NULL, 
	iteration INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	rank_1 FLOAT, 
	rank_5 FLOAT, 
	rank_10 FLOAT, 
	rank_20 FLOAT, 
	mean_ap FLOAT, 
	n_queries INTEGER NOT NULL, 
	n_unmatched INTEGER NOT NULL, 
	ap_method TEXT NOT NULL, 
	unmatched TEXT NOT NULL, 
	PRIMARY KEY (run_id, iteration, source), 
	FOREIGN KEY(run_id, iteration) REFERENCES iterations (run_id, iteration)
);
INSERT INTO "metrics" VALUES(1,0,'test',0.5,0.75,0.8,0.9,0.25,12,1,'trapezoid','zero');
CREATE TABLE runs (
	run_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	config JSON NOT NULL, 
	model TEXT NOT NULL, 
	model_hash TEXT NOT NULL, 
	last_image_id INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	created_at TEXT NOT NULL
, parent_run_id INTEGER, parent_iteration INTEGER, shelf TEXT DEFAULT '' NOT NULL);
INSERT INTO "runs" VALUES(1,'first','{"clustering": "kmeans", "n_clusters": 3, "lambda_": 0.85, "selection": "own", "n_iterations": 2, "restart_from": "original", "kmeans_n_init": 1, "kmeans_max_iterations": 300, "kmeans_backend": "faiss", "dbscan": {"eps": 0.6, "min_samples": 4, "k1": 30, "k2": 6}, "convergence_window": 5, "convergence_tolerance": 0.005, "annotation_mode": "append", "use_tracklets": false, "camera_diversity": false, "init_on_annotations": true, "extraction_precision": "float32", "projection": true, "keep_features": null, "seed": 0, "device": "auto", "n_threads": null, "finetune": {"loss": "softmax", "n_epochs": 20, "batch_size": 16, "learning_rate": 0.001, "lr_schedule": "constant", "momentum": 0.9, "weight_decay": 0.0, "dropout": 0.5, "classifier_init_std": 0.001, "bn_momentum": 0.01, "n_instances": 4, "memory_temperature": 0.05, "memory_momentum": 0.1, "memory_update": "hard", "precision": "float32", "compile": false, "augmentation": {"rotation_degrees": 20.0, "shift_fraction": 0.20089285714285715, "flip_probability": 0.0, "erasing_probability": 0.0}}, "evaluation": {"ap_method": "trapezoid", "unmatched": "zero", "camera_aware": true}}','start.safetensors','9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c',4,'stopped','2026-11-28T15:10:36.677+00:00',NULL,NULL,'');
INSERT INTO "runs" VALUES(2,'fork','{"clustering": "kmeans", "n_clusters": 2, "lambda_": 0.85, "selection": "own", "n_iterations": 25, "restart_from": "original", "kmeans_n_init": 1, "kmeans_max_iterations": 300, "kmeans_backend": "exact", "dbscan": {"eps": 0.6, "min_samples": 4, "k1": 30, "k2": 6}, "convergence_window": 5, "convergence_tolerance": 0.005, "annotation_mode": "append", "use_tracklets": false, "camera_diversity": false, "init_on_annotations": true, "extraction_precision": "float32", "projection": true, "keep_features": null, "seed": 0, "device": "auto", "n_threads": null, "finetune": {"loss": "softmax", "n_epochs": 20, "batch_size": 16, "learning_rate": 0.001, "lr_schedule": "constant", "momentum": 0.9, "weight_decay": 0.0, "dropout": 0.5, "classifier_init_std": 0.001, "bn_momentum": 0.01, "n_instances": 4, "memory_temperature": 0.05, "memory_momentum": 0.1, "memory_update": "hard", "precision": "float32", "compile": false, "augmentation": {"rotation_degrees": 20.0, "shift_fraction": 0.20089285714285715, "flip_probability": 0.0, "erasing_probability": 0.0}}, "evaluation": {"ap_method": "trapezoid", "unmatched": "zero", "camera_aware": true}}','start.safetensors','9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c',4,'created','2026-11-28T15:10:36.695+00:00',1,0,'archived');
CREATE TABLE settings (
	name TEXT NOT NULL, 
	value JSON NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "settings" VALUES('workspace_name','"shop"');
INSERT INTO "settings" VALUES('experiment:table4-ab','{"experiment_id": "table4-ab", "name": "table4", "target": "market", "settings": {"preset": "quick"}, "rows": [{"key": "bow", "label": "BoW", "system": "bow", "sources": [], "value": null, "config": null, "n_identities": 0, "missing": "", "run_id": null, "metrics": {"rank_1": 0.5, "rank_5": 0.75, "rank_10": 0.8, "rank_20": 0.9, "mean_ap": 0.25, "n_queries": 12, "n_unmatched": 1, "ap_method": "trapezoid", "unmatched": "zero"}, "seconds": 1.5, "error": ""}, {"key": "pul", "label": "PUL", "system": "pul", "sources": ["cuhk03"], "value": 0.85, "config": {"clustering": "kmeans", "n_clusters": 3, "lambda_": 0.85, "selection": "own", "n_iterations": 2, "restart_from": "original", "kmeans_n_init": 1, "kmeans_max_iterations": 300, "kmeans_backend": "faiss", "dbscan": {"eps": 0.6, "min_samples": 4, "k1": 30, "k2": 6}, "convergence_window": 5, "convergence_tolerance": 0.005, "annotation_mode": "append", "use_tracklets": false, "camera_diversity": false, "init_on_annotations": true, "extraction_precision": "float32", "projection": true, "keep_features": null, "seed": 0, "device": "auto", "n_threads": null, "finetune": {"loss": "softmax", "n_epochs": 20, "batch_size": 16, "learning_rate": 0.001, "lr_schedule": "constant", "momentum": 0.9, "weight_decay": 0.0, "dropout": 0.5, "classifier_init_std": 0.001, "bn_momentum": 0.01, "n_instances": 4, "memory_temperature": 0.05, "memory_momentum": 0.1, "memory_update": "hard", "precision": "float32", "compile": false, "augmentation": {"rotation_degrees": 20.0, "shift_fraction": 0.20089285714285715, "flip_probability": 0.0, "erasing_probability": 0.0}}, "evaluation": {"ap_method": "trapezoid", "unmatched": "zero", "camera_aware": true}}, "n_identities": 0, "missing": "", "run_id": 1, "metrics": null, "seconds": 0.0, "error": ""}], "created_at": "2026-11-28T15:10:36.730+00:00"}');
INSERT INTO "settings" VALUES('preset','"quick"');
CREATE TABLE skipped_files (
	path TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (path)
);
INSERT INTO "skipped_files" VALUES('/elsewhere/c.jpg','truncated');
CREATE INDEX ix_images_split ON images (split);
CREATE INDEX ix_controls_run_id ON controls (run_id);
CREATE INDEX ix_jobs_run_id ON jobs (run_id);
CREATE INDEX ix_jobs_status ON jobs (status);
CREATE UNIQUE INDEX one_active_job_per_run ON jobs (run_id) WHERE status IN ('queued', 'running', 'paused');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('images',4);
INSERT INTO "sqlite_sequence" VALUES('runs',2);
INSERT INTO "sqlite_sequence" VALUES('controls',1);
INSERT INTO "sqlite_sequence" VALUES('jobs',1);
INSERT INTO "sqlite_sequence" VALUES('annotation_events',3);
COMMIT;
