"""Amazon's hosted-model services on this machine, as their HTTP APIs.

Nothing here is shared with the runtime or the constructs: it is written from AWS's documents alone, so that a
misreading there cannot hide behind the same misreading here.

What is simulated, and from which documents
-------------------------------------------
Lookout for Vision
    StartModel, StopModel, DescribeModel, ListModels, ListProjects, DetectAnomalies, TagResource,
    UntagResource and ListTagsForResource of the Amazon Lookout for Vision API Reference (2020-11-20), with
    the shapes, patterns and limits of the service model in botocore 1.40.60. IAM actions, resources and
    condition keys from the Service Authorization Reference; 5 requests a second from the quotas page of the
    Developer Guide.

Rekognition Custom Labels
    StartProjectVersion, StopProjectVersion, DescribeProjectVersions, DetectCustomLabels, TagResource,
    UntagResource and ListTagsForResource of the Amazon Rekognition API Reference, with the same sources.

Control
    ``/_simulator/…`` on the same port makes models, injects faults and tells what was called and billed.

`registry.SERVICES` lists them. A service is a subclass of `service.Service` in a file of its own.

Where the documents are silent
------------------------------
- Another input for an active ClientToken: "an error occurs". Here a ConflictException.
- A repeated start or stop with an active token answers 202 with the model's status of that moment, whatever
  it is by then, and does nothing. A call that failed does not use up its token. The 8 hours run from the
  first call and end at exactly 28800 s. ``latest`` and its number are different inputs.
- StartModel is accepted in TRAINED and HOSTING_FAILED, StopModel in HOSTED and HOSTING_FAILED; else
  ConflictException. Whether StopModel is accepted in STARTING_HOSTING is a setting of the model.
- ``latest`` is the highest version that was trained. IAM decides on the ARN as written, ``latest`` included,
  with the tags of the model that it stands for.
- A model bills at its minimum inference units from the moment it is HOSTED to the moment a stop is accepted,
  through SYSTEM_UPDATING; the service's auto-scaling and its rounding are not simulated.
- The inference units of a stopped model stay in its description until the next start.
- The unit quota counts each starting or running model at the larger of its two numbers. QuotaCode is not
  a code of AWS.
- Order of checks: authentication, authorisation, request quota, validation, existence, state. A body that is
  not JSON is a ValidationException, as is a tag key that is given twice or begins with ``aws:``.
- Tags are consistent at once, unless the control API says that reads lag. Then what ListTagsForResource
  shows and what ``aws:ResourceTag`` conditions see is late; a write always adds to what is so.
- UnrecognizedClientException, InvalidSignatureException, ExpiredTokenException and AccessDeniedException of a
  fault have HTTP status 403 in Lookout for Vision and 400 in Rekognition, as protocols do; a fault can name
  another one. RequestTimeoutException has 408 in both.
- A project exists as long as it has a model, and is as old as one of them. ListModels and ListProjects are
  consistent at once, in order of version numbers and of names.
- Status messages, Performance and OutputConfig are made up. DetectAnomalies does not look into the image: its
  answer depends on the bytes alone. Its limit of 8 MB counts 8388608 bytes.
- Rekognition: StartProjectVersion is accepted in TRAINING_COMPLETED, STOPPED, COPYING_COMPLETED and FAILED,
  StopProjectVersion in RUNNING and FAILED; else ResourceInUseException. Two models of an account and region
  may start or run at a time, each with 5 units at most. Invalid input is always an InvalidParameterException.
  Names in VersionNames that do not exist are left out of the answer. ThrottlingException has HTTP status 500,
  as the service model says. Requests have the same quota as Lookout for Vision's. Every model is a Custom
  Labels model, and DetectCustomLabels finds the same label in every image.
- Regions and accounts are taken as they come: from the credential scope and from the authorizer.
"""

from .auth import Authorizer, Decision, HttpAuthorizer
from .core import Simulator
from .http import Request, Response

__all__ = ["Authorizer", "Decision", "HttpAuthorizer", "Request", "Response", "Simulator"]
