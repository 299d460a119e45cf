"""The camera of a board with the real firmware, on real brokers, over a network that fails."""

from pathlib import Path

import pytest

from tests.link.pictures import check, studio
from tools.brokers import Broker


@pytest.mark.parametrize("module", ["modern", "old"])
def test_two_pictures_arrive_and_differ(real_broker: Broker, tmp_path: Path, module: str) -> None:
    with studio(tmp_path, real_broker, module=module) as (board, viewer, _):
        results = [viewer.captured(), viewer.captured()]
        pictures = [viewer.picture(result["image_id"]) for result in results]
        for picture, result in zip(pictures, results, strict=True):
            check(picture, result)
        assert pictures[0] != pictures[1]
        assert len(board.log.of("boot")) == 1
