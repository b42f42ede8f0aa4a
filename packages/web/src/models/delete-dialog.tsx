import type { InstalledModel } from '@tollama/client';
import { Dialog } from '../ui/dialog.tsx';
import { formatBytes } from '../ui/quantity.ts';

export interface DeleteDialogProps {
  readonly model: InstalledModel;
  readonly onDelete: () => void;
  readonly onClose: () => void;
}

export const DeleteDialog = ({ model, onDelete, onClose }: DeleteDialogProps) => (
  <Dialog
    title={`Delete ${model.name}?`}
    onClose={onClose}
    actions={
      <>
        <button type="button" class="button" onClick={onClose}>
          Keep it
        </button>
        <button type="button" class="button danger" onClick={onDelete}>
          Delete
        </button>
      </>
    }
  >
    <p>
      {model.size > 0 ? `${formatBytes(model.size)} of weights are` : 'It is'} taken off the
      installed models and unloaded; forecasts with it fail from then on. It can be pulled again.
    </p>
  </Dialog>
);
