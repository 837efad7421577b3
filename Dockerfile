# PUL Studio in a container: not root, read-only but for /workspace and /tmp.
#
#   docker build -t pul-studio .
#   docker run --rm -p 127.0.0.1:8501:8501 -v pul-workspace:/workspace pul-studio
#
# The package index decides which PyTorch comes: the default one brings CUDA, several gigabytes. For a
# machine without a GPU name PyTorch's index of CPU builds, as pytorch.org gives it:
#   docker build --build-arg PIP_EXTRA_INDEX_URL=<index of CPU builds> -t pul-studio .
ARG PYTHON=3.12
FROM python:${PYTHON}-slim AS install
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt

FROM python:${PYTHON}-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba \
    TORCH_HOME=/workspace/torch \
    PUL_DEMO=/workspace/demo
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin studio \
 && install -d -o studio -g studio /workspace
COPY --from=install /venv /venv
COPY app /studio/app
COPY pul /studio/pul
COPY assets /studio/assets
COPY LICENSE /studio/LICENSE
WORKDIR /studio
USER studio
VOLUME /workspace
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/_stcore/health', timeout=2).read()"]
CMD ["python", "-m", "app", "--host", "0.0.0.0", "--port", "8501"]
