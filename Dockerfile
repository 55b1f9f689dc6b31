# docker build --tag lstm-laboratory .
# docker run --interactive --tty --network host lstm-laboratory
#
# The container has a shell in a clone of the repository, with its environment. `--network host`
# lets a browser on this machine open the pages of `make ui`.

FROM python:3.11-slim AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --shell /bin/bash student \
    && install --directory --owner=student /home/student/laboratory
USER student
WORKDIR /home/student/laboratory
ENV PATH="/home/student/laboratory/.venv/bin:$PATH"

FROM base
COPY --chown=student Makefile requirements.lock ./
RUN UV_NO_CACHE=1 make .venv/packages
COPY --chown=student . ./
RUN make .venv/installed
CMD ["bash"]
