"""modelmon: drift, bias and the governance of deployed models."""
