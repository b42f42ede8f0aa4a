/** Models and profiles. */
import {
  CapabilitiesResponse,
  CopiedModel,
  DeletedModel,
  ModelsResponse,
  PruneResponse,
  PsResponse,
  RemovedModel,
  ShowResponse,
  StoppedModel,
  TagsResponse,
} from '@tollama/core/answers/models';
import {
  DeletedModelfile,
  ModelfilesResponse,
  StoredModelfile,
} from '@tollama/core/answers/profiles';
import {
  CreatedModel,
  CreateLine,
  PulledModel,
  PullLine,
  VerifyLine,
} from '@tollama/core/answers/progress';
import { Manifest } from '@tollama/core/manifest';
import { PullBody } from '../../pull/pull-options.ts';
import { ModelfileBody } from '../../routes/modelfiles.ts';
import { ModelBody } from '../../routes/models.ts';
import { V1PullBody } from '../../routes/pull.ts';
import { CopyBody, CreateBody, PruneBody, VerifyBody } from '../../routes/store.ts';
import { OF_PULL } from '../errors.ts';
import * as example from '../examples.ts';
import { body, json, type Operation, operationsOf } from '../operation.ts';

const { get, post, remove } = operationsOf('models');
const profiles = operationsOf('profiles');

const MODEL = body('ModelBody', ModelBody, { example: { model: 'chronos-bolt-tiny' } });
const missing = { errors: ['INVALID_REQUEST', 'MODEL_NOT_FOUND'] } as const;

export const MODELS: readonly Operation[] = [
  get('/api/tags', 'listInstalledModels', 'Installed models', {
    ...json(TagsResponse),
    example: example.TAGS_ANSWER,
  }),
  get('/v1/models', 'listModels', 'Models on offer and installed models', {
    ...json(ModelsResponse),
    example: example.MODELS,
  }),
  get('/v1/models/:name/capabilities', 'modelCapabilities', 'What a model can do', {
    ...json(CapabilitiesResponse),
    ...missing,
  }),
  get('/api/ps', 'listLoadedModels', 'Loaded models', {
    ...json(PsResponse),
    example: example.PS,
  }),
  post('/api/show', 'showModel', 'All about an installed model', {
    ...MODEL,
    ...json(ShowResponse),
    ...missing,
    example: example.SHOW,
  }),
  post('/api/pull', 'pullModel', 'Pull a model; a stream of lines unless stream is false', {
    ...body('PullBody', PullBody, { example: example.PULL_BODY }),
    answer: { 'application/json': PulledModel, 'application/x-ndjson': PullLine },
    errors: OF_PULL,
    example: example.PULLED,
  }),
  post('/v1/models/pull', 'pullModelByName', 'Pull a model, and tell what was installed', {
    ...body('V1PullBody', V1PullBody),
    ...json(Manifest),
    errors: OF_PULL,
  }),
  post('/api/create', 'createModel', 'Make a model from a Modelfile, or with random weights', {
    ...body('CreateBody', CreateBody),
    answer: { 'application/json': CreatedModel, 'application/x-ndjson': CreateLine },
    errors: [...OF_PULL, 'CHECKPOINT_INVALID'],
  }),
  post('/api/copy', 'copyModel', 'Copy a model', {
    ...body('CopyBody', CopyBody),
    ...json(CopiedModel),
    errors: ['MODEL_NOT_FOUND', 'MODEL_EXISTS', 'DISK_FULL'],
  }),
  post('/api/verify', 'verifyModel', 'Check the files of a model', {
    ...body('VerifyBody', VerifyBody),
    answer: { 'application/x-ndjson': VerifyLine },
    ...missing,
  }),
  post('/api/prune', 'prune', 'Remove files that nothing needs', {
    ...body('PruneBody', PruneBody),
    ...json(PruneResponse),
  }),
  post('/api/stop', 'stopModel', 'Unload a model', { ...MODEL, ...json(StoppedModel), ...missing }),
  remove('/api/delete', 'deleteModel', 'Remove a model', {
    ...MODEL,
    ...json(DeletedModel),
    ...missing,
  }),
  remove('/v1/models/:name', 'deleteModelByName', 'Remove a model', {
    ...json(RemovedModel),
    ...missing,
  }),
];

const noProfile = { errors: ['INVALID_REQUEST', 'NOT_FOUND', 'CONFIG_INVALID'] } as const;

export const PROFILES: readonly Operation[] = [
  profiles.get('/api/modelfiles', 'listModelfiles', 'All profiles', json(ModelfilesResponse)),
  profiles.post('/api/modelfiles', 'writeModelfile', 'Write a profile, as JSON or as YAML', {
    ...body('ModelfileBody', ModelfileBody),
    ...json(StoredModelfile),
  }),
  profiles.get('/api/modelfiles/:name', 'getModelfile', 'One profile', {
    ...json(StoredModelfile),
    ...noProfile,
  }),
  profiles.remove('/api/modelfiles/:name', 'deleteModelfile', 'Remove a profile', {
    ...json(DeletedModelfile),
    ...noProfile,
  }),
];
