/** The view of models: pulls under way, installed, on offer, built in. */
import type { DashboardState, InstalledModel, ListedModel } from '@tollama/client';
import { useRef, useState } from 'preact/hooks';
import { daemonState, isBuiltIn } from '../daemon/state.ts';
import { useStore } from '../ui/store.ts';
import { AvailableList } from './available-list.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { InstalledList } from './installed-list.tsx';
import { LicenceDialog } from './licence-dialog.tsx';
import { deleteModel } from './memory.ts';
import { PullRow } from './pull-row.tsx';
import { pulls, startPull } from './pulls.ts';

const Pulls = () => {
  const current = [...useStore(pulls).values()];
  if (current.length === 0) return null;
  return (
    <section class="card" aria-labelledby="pulls-title">
      <div class="card-head">
        <h2 id="pulls-title">Pulls</h2>
      </div>
      <div class="card-body stack">
        {current.map((pull) => (
          <PullRow key={pull.model} pull={pull} />
        ))}
      </div>
    </section>
  );
};

const BuiltIn = ({ models }: { models: readonly ListedModel[] }) => (
  <section class="card" aria-labelledby="built-in-title">
    <div class="card-head">
      <h2 id="built-in-title">Built in</h2>
      <span class="soft small">Classical models without weights: always there</span>
    </div>
    <ul class="card-body row">
      {models.map(({ name }) => (
        <li key={name} class="pill">
          {name}
        </li>
      ))}
    </ul>
  </section>
);

const Installed = ({ state }: { state: DashboardState }) => {
  const [deleting, setDeleting] = useState<InstalledModel>();
  const heading = useRef<HTMLHeadingElement>(null);
  const remove = async ({ name }: InstalledModel): Promise<void> => {
    setDeleting(undefined);
    // The button that had the focus goes with its row.
    if (await deleteModel(name)) heading.current?.focus();
  };
  return (
    <section class="card" aria-labelledby="installed-title">
      <div class="card-head">
        <h2 id="installed-title" ref={heading} tabIndex={-1}>
          Installed
        </h2>
      </div>
      <InstalledList state={state} onDelete={setDeleting} />
      {deleting && (
        <DeleteDialog
          model={deleting}
          onClose={() => setDeleting(undefined)}
          onDelete={() => void remove(deleting)}
        />
      )}
    </section>
  );
};

const Available = ({ models }: { models: readonly ListedModel[] }) => {
  const running = useStore(pulls);
  const [licensing, setLicensing] = useState<ListedModel>();
  const pull = (model: ListedModel): void => {
    if (model.license.needs_acceptance && !model.license.accepted) setLicensing(model);
    else void startPull({ model: model.name });
  };
  const accept = ({ name }: ListedModel): void => {
    setLicensing(undefined);
    void startPull({ model: name, accept_license: true });
  };
  return (
    <section class="card" aria-labelledby="available-title">
      <div class="card-head">
        <h2 id="available-title">Available</h2>
      </div>
      <AvailableList
        models={models}
        isPulling={(name) => running.has(name) && running.get(name)?.problem === undefined}
        onPull={pull}
      />
      {licensing && (
        <LicenceDialog
          model={licensing}
          onClose={() => setLicensing(undefined)}
          onAccept={() => accept(licensing)}
        />
      )}
    </section>
  );
};

export const ModelsView = () => {
  const { state, models } = useStore(daemonState);
  if (!state) return <p class="empty">Asking the daemon …</p>;
  return (
    <div class="stack">
      <Pulls />
      <Installed state={state} />
      <Available models={models.filter((model) => !model.installed && !isBuiltIn(model))} />
      <BuiltIn models={models.filter(isBuiltIn)} />
    </div>
  );
};
