"""The packages of the wheel: `pul`, `app`, and the folder `assets` as `pul/assets`."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[*find_namespace_packages(include=["pul*", "app*"]), "pul.assets"],
    package_dir={"pul.assets": "assets"},
)
