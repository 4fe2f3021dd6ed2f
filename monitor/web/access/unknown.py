"""That it is not known who asks."""

from monitor.domain.errors import ModelmonError


class UnknownError(ModelmonError):
    """Who asks says who they are, and is not believed; the message is for them."""
