import pytest

from pul.config import (
    NetworkConfig,
    RunConfig,
    TrainConfig,
    derive_seed,
    describe,
    load_preset,
    preset_names,
    suggest_n_clusters,
)
from pul.config.base import flatten
from pul.errors import ConfigError


def test_run_config__defaults_are_the_papers():
    config = RunConfig()
    assert (config.n_clusters, config.lambda_, config.n_iterations) == (750, 0.85, 25)
    assert (config.restart_from, config.selection) == ("original", "own")
    train = config.finetune
    assert (train.n_epochs, train.batch_size, train.learning_rate) == (20, 16, 0.001)
    assert (train.momentum, train.weight_decay, train.dropout) == (0.9, 0.0, 0.5)
    assert train.augmentation.rotation_degrees == 20
    assert train.augmentation.shift_fraction * 224 == pytest.approx(45)
    network = NetworkConfig()
    assert (network.backbone, network.height, network.width) == ("resnet50", 224, 224)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"lambda_": 1.5}, "lambda_"),
        ({"n_clusters": 0}, "n_clusters"),
        ({"selection": "both"}, "selection"),
        ({"k": 5}, "k"),
        ({"finetune": {"n_epochs": 0}}, "n_epochs"),
        ({"dbscan": {"eps": 1.0}}, "eps"),
        ({"finetune": {"augmentation": {"flip_probability": 2}}}, "flip_probability"),
    ],
)
def test_run_config__bad_value_is_named(values, word):
    with pytest.raises(ConfigError, match=word):
        RunConfig(**values)


def test_run_config__is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        RunConfig().seed = 3


def test_replace__reaches_nested_values_and_checks_them():
    config = RunConfig().replace(**{"lambda_": 0.9, "finetune.n_epochs": 3, "seed": None})
    assert (config.lambda_, config.finetune.n_epochs, config.seed) == (0.9, 3, 0)
    with pytest.raises(ConfigError, match="n_epochs"):
        config.replace(**{"finetune.n_epochs": -1})
    with pytest.raises(ConfigError, match="no group"):
        config.replace(**{"fine.n_epochs": 1})


@pytest.mark.parametrize("path", ["head.gem_p", "head.last_stride", "n_threads", "lambda_"])
def test_replace__none_empties_what_may_be_without_a_value(path):
    config = RunConfig().replace(**{path: 1})
    assert flatten(config.model_dump())[path] == 1
    assert flatten(config.replace(**{path: "none"}).model_dump())[path] is None


@pytest.mark.parametrize("path", ["n_clusters", "finetune.n_epochs", "selection"])
def test_replace__none_is_no_value_of_the_others(path):
    with pytest.raises(ConfigError, match=path.rpartition(".")[2]):
        RunConfig().replace(**{path: "none"})


def test_replace__none_may_be_a_word():
    assert RunConfig().replace(**{"head.neck": "none"}).head.neck == "none"


def test_run_config__survives_json():
    config = RunConfig(lambda_=None, finetune=TrainConfig(loss="triplet"))
    assert RunConfig(**config.model_dump(mode="json")) == config


@pytest.mark.parametrize("name", preset_names())
def test_load_preset__every_preset_is_valid(name):
    assert isinstance(load_preset(name), RunConfig)


def test_load_preset__paper_differs_from_the_defaults_in_k_means_restarts_alone():
    assert load_preset("paper") == RunConfig(kmeans_n_init=10)


def test_load_preset__unknown_name_lists_the_known():
    with pytest.raises(ConfigError, match="paper, quick"):
        load_preset("papers")


@pytest.mark.parametrize("lambda_", [None, 0, 0.0])
def test_selects_all__none_and_zero(lambda_):
    assert RunConfig(lambda_=lambda_).selects_all


def test_derive_seed__is_the_same_everywhere_and_differs_by_purpose():
    # sha256(b"(0, 'cluster', 1)") begins with these bytes, read as a little-endian integer.
    assert derive_seed(0, "cluster", 1) == derive_seed(0, "cluster", 1)
    seeds = {derive_seed(s, name, i) for s in (0, 1) for name in "ab" for i in (1, 2)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_suggest_n_clusters__market_ratio():
    assert suggest_n_clusters(12_936) == 761  # Market-1501 has 751
    assert suggest_n_clusters(3) == 2  # one cluster is refused


def test_presets__quick_selects_more_than_the_paper() -> None:
    assert (load_preset("paper").lambda_, load_preset("quick").lambda_) == (0.85, 0.75)


def test_describe__reads_bounds_choices_and_marks():
    settings = {setting.path: setting for setting in describe(RunConfig)}
    eps, k, loss = (settings[path] for path in ("dbscan.eps", "n_clusters", "finetune.loss"))
    assert (eps.minimum, eps.maximum, eps.is_above, eps.is_below) == (0, 1, True, True)
    assert (eps.step, eps.is_in_paper, eps.kind) == (0.05, False, "number")
    assert (k.minimum, k.maximum, k.is_above, k.kind) == (1, None, False, "whole number")
    assert k.is_in_paper
    assert loss.choices[:3] == ("softmax", "triplet", "contrastive")
    assert settings["lambda_"].kind == settings["finetune.momentum"].kind == "number"
    assert settings["keep_features"].kind == "whole number"
    assert settings["projection"].kind == "switch"
    assert settings["device"].kind == "text"


@pytest.mark.parametrize("config", [RunConfig, NetworkConfig])
def test_describe__every_setting_has_a_label_and_a_sentence(config):
    described = list(describe(config))
    assert all(setting.label != setting.path for setting in described)
    assert all(setting.description.endswith(".") for setting in described)
    assert len({setting.label for setting in described}) == len(described)


@pytest.mark.parametrize("config", [RunConfig, NetworkConfig])
def test_describe__defaults_are_those_of_the_settings(config):
    defaults = {setting.path: setting.default for setting in describe(config)}
    assert defaults == flatten(config().model_dump())


@pytest.mark.parametrize(
    ("path", "named"),
    [("kmeans_backend", "kmeans_backend"), ("finetune.lr", "lr"), ("λ", "λ")],
)
def test_replace__an_unknown_setting_says_where_they_are_listed(path: str, named: str) -> None:
    with pytest.raises(ConfigError, match=rf"{named}: there is no such setting; docs/settings.md"):
        RunConfig().replace(**{path: "faiss"})
