/** Some models may be used under conditions only; they are pulled once somebody has accepted them. */
import type { ListedModel } from '@tollama/client';
import { useState } from 'preact/hooks';
import { Dialog } from '../ui/dialog.tsx';

export interface LicenceDialogProps {
  readonly model: ListedModel;
  readonly onAccept: () => void;
  readonly onClose: () => void;
}

/** The page of a model at the hub, where its licence is. */
const modelPage = ({ source }: ListedModel): string | undefined =>
  source.type === 'huggingface' ? `https://huggingface.co/${source.repo_id}` : undefined;

export const LicenceDialog = ({ model, onAccept, onClose }: LicenceDialogProps) => {
  const [isAccepted, setAccepted] = useState(false);
  const page = modelPage(model);
  return (
    <Dialog
      title={`Licence of ${model.name}`}
      onClose={onClose}
      actions={
        <>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" class="button primary" disabled={!isAccepted} onClick={onAccept}>
            Accept and pull
          </button>
        </>
      }
    >
      <p>
        This model is licensed under <strong>{model.license.type}</strong> and asks for your consent
        before it is pulled.
      </p>
      {model.license.notice && <p class="soft">{model.license.notice}</p>}
      {page !== undefined && (
        <p>
          <a href={page} target="_blank" rel="noreferrer noopener">
            Read it on the page of the model
          </a>
        </p>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={isAccepted}
          onChange={(event) => setAccepted(event.currentTarget.checked)}
        />
        <span>I have read the licence and accept it</span>
      </label>
    </Dialog>
  );
};
