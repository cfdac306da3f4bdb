"""The demo region: invented people around Tulsa, and one referral walked from end to end."""

from deploy.region.loading import load
from deploy.region.system import System

__all__ = ["System", "load"]
